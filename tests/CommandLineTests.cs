using DataHub.Hosting;
using DataHub.Support;

namespace DataHub.Tests;

/// <summary>The built program as an operator meets it.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Help_lists_commands_and_every_setting_with_default_range_and_meaning()
    {
        var (exit, output, _) = await HubProcess.RunAsync(null, "--help");
        Assert.Equal(0, exit);
        foreach (var word in new[] { "--demo", "--demo-rate", "--urls", "--data", "admin-key", "http://127.0.0.1:8080" }) Assert.Contains(word, output, StringComparison.Ordinal);
        foreach (var setting in Hub.Settings.Sections.SelectMany(section => section.Settings))
        {
            Assert.Contains($"{setting.Key} · {setting.Variable}", output, StringComparison.Ordinal);
            Assert.True(setting.Meaning is not null, $"{setting.Key} does not say what it means");
            Assert.True(setting.Property.PropertyType == typeof(string) || setting.Allowed != "Text", $"{setting.Key} has no range");
        }
    }

    [Theory]
    [InlineData("DATAHUB__LOG__SHARDS", "0", "DataHub:Log:Shards", "1 … 256")]
    [InlineData("DATAHUB__LOG__SHARDS", "viele", "DataHub:Log:Shards", "1 … 256")]
    [InlineData("DATAHUB__HOST__STOPTIMEOUT", "00:00:00", "DataHub:Host:StopTimeout", "00:00:01 … 00:10:00")]
    [InlineData("DATAHUB__SHARING__KEEPEVIDENCE", "1.00:00:00", "DataHub:Sharing:KeepEvidence", "30.00:00:00 … 3652.00:00:00")]
    [InlineData("DATAHUB__DASHBOARD__ENABLED", "ja", "DataHub:Dashboard:Enabled", "true, false")]
    [InlineData("DATAHUB__LOG__SHRADS", "4", "DataHub:Log:SHRADS", "DataHub:Log:Shards")]
    [InlineData("DATAHUB__LOGG__SHARDS", "4", "DataHub:LOGG", "DataHub:Log")]
    public async Task A_wrong_setting_ends_the_start_with_one_line_that_names_key_value_and_range(string variable, string value, string key, string allowed)
    {
        using var folder = new TemporaryFolder();
        var (exit, output, errors) = await HubProcess.RunAsync(new Dictionary<string, string> { [variable] = value }, "--urls", "http://127.0.0.1:0", "--data", folder.FullName);
        Assert.Equal(StartException.ExitCode, exit);
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.Contains(key, line, StringComparison.Ordinal);
        Assert.Contains(allowed, line, StringComparison.Ordinal);
        Assert.Empty(output.Trim());
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.FullName));
    }

    [Theory]
    [InlineData("--urls", "ftp://x")]
    [InlineData("--urls", "http://127.0.0.1:99999")]
    [InlineData("--demo-rate", "0")]
    [InlineData("--unbekannt", "1")]
    public async Task A_wrong_argument_ends_the_start_with_what_is_allowed(string option, string value)
    {
        using var folder = new TemporaryFolder();
        var (exit, _, errors) = await HubProcess.RunAsync(null, option, value, "--data", folder.FullName);
        Assert.Equal(StartException.ExitCode, exit);
        Assert.Contains(option, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_a_restart_and_what_stands_in_their_way()
    {
        using var folder = new TemporaryFolder();
        var data = Path.Combine(folder.FullName, "data");
        string key;
        await using (var hub = await HubProcess.StartAsync(data))
        {
            // The first key is shown and kept for the hub's own user only.
            var file = Path.Combine(data, "admin.key");
            key = (await File.ReadAllTextAsync(file)).Trim();
            Assert.Contains(key, hub.Output, StringComparison.Ordinal);
            Assert.Contains(hub.Address.ToString().TrimEnd('/'), hub.Output, StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));

            // A second process neither takes the folder nor the port.
            var (exit, _, errors) = await HubProcess.RunAsync(null, "--urls", "http://127.0.0.1:0", "--data", data);
            Assert.Equal(StartException.ExitCode, exit);
            Assert.Contains(data, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)), StringComparison.Ordinal);
            (exit, _, errors) = await HubProcess.RunAsync(null, "--urls", hub.Address.ToString().TrimEnd('/'), "--data", data + "2");
            Assert.Equal(StartException.ExitCode, exit);
            Assert.Contains("--urls", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)), StringComparison.Ordinal);

            Assert.Equal(0, await hub.StopAsync());
        }

        // The shape of the log is fixed.
        var (refused, _, said) = await HubProcess.RunAsync(new Dictionary<string, string> { ["DATAHUB__LOG__SHARDS"] = "8" }, "--urls", "http://127.0.0.1:0", "--data", data);
        Assert.Equal(StartException.ExitCode, refused);
        Assert.Contains("DataHub:Log:Shards", said, StringComparison.Ordinal);

        // A restart knows the key, says where it is and does not show it; a file that was lost is not made anew.
        File.Delete(Path.Combine(data, "admin.key"));
        await using (var hub = await HubProcess.StartAsync(data))
        {
            Assert.DoesNotContain(key, hub.Output, StringComparison.Ordinal);
            Assert.Contains("admin-key", hub.Output, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(data, "admin.key")));
            using var client = new HttpClient { BaseAddress = hub.Address, DefaultRequestHeaders = { { "Authorization", "Bearer " + key } } };
            await HubFixture.OkAsync(client.GetAsync("api/v1/agencies/platform/keys"));
            await hub.StopAsync();
        }

        var (made, another, _) = await HubProcess.RunAsync(null, "admin-key", "--data", data);
        Assert.Equal(0, made);
        await using (var hub = await HubProcess.StartAsync(data))
        {
            using var client = new HttpClient { BaseAddress = hub.Address, DefaultRequestHeaders = { { "Authorization", "Bearer " + another.Trim() } } };
            await HubFixture.OkAsync(client.GetAsync("api/v1/agencies/platform/keys"));
        }
    }

    [Fact]
    public async Task A_kill_at_any_moment_of_the_first_start_leaves_a_hub_with_a_key_that_works()
    {
        foreach (var milliseconds in new[] { 600, 900, 1_200, 1_500 })
        {
            using var folder = new TemporaryFolder();
            await using (var killed = HubProcess.Launch(folder.FullName))
            {
                await Task.Delay(milliseconds);
                await killed.KillAsync();
            }

            await using var hub = await HubProcess.StartAsync(folder.FullName);
            var key = (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim();
            using var client = new HttpClient { BaseAddress = hub.Address, DefaultRequestHeaders = { { "Authorization", "Bearer " + key } } };
            await HubFixture.OkAsync(client.GetAsync("api/v1/agencies/platform/keys"));
        }
    }

    [Fact]
    public async Task Asked_to_stop_it_says_so_before_it_takes_no_more_requests_and_ends_in_time()
    {
        using var folder = new TemporaryFolder();
        await using var hub = await HubProcess.StartAsync(folder.FullName, environment: new Dictionary<string, string> { ["DATAHUB__HOST__DRAINDELAY"] = "00:00:02" });
        using var client = new HttpClient { BaseAddress = hub.Address };
        var asked = System.Diagnostics.Stopwatch.StartNew();
        var stopped = hub.StopAsync();
        System.Net.HttpStatusCode ready;
        do
        {
            using var answer = await client.GetAsync("health/ready");
            ready = answer.StatusCode;
        }
        while (ready == System.Net.HttpStatusCode.OK);

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, ready);
        await HubFixture.OkAsync(client.GetAsync("api/v1/agencies"));
        Assert.Equal(0, await stopped);
        Assert.InRange(asked.Elapsed, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2 + 20));
    }
}
