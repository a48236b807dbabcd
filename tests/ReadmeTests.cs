using System.Diagnostics;

using DataHub.Hosting;
using DataHub.Support;

namespace DataHub.Tests;

/// <summary>What the README tells people to type does what it says.</summary>
public sealed class ReadmeTests
{
    [NodeFact]
    public async Task Its_lines_and_its_client_in_ten_lines_do_what_it_says()
    {
        await using var hub = await HubFixture.StartAsync();
        using var folder = new TemporaryFolder();
        var client = Path.Combine(folder.FullName, "client.mjs");
        await File.WriteAllTextAsync(client, Block("## Push and poll", "js"));
        Assert.Equal(8, (await File.ReadAllLinesAsync(client)).Length);
        var lines = Adapted(hub, Block("## Push and poll")) + "\n"
            + Adapted(hub, Block("## Push and poll", "bash", 1)).Replace("curl -sS -N", "curl -sS -N --max-time 3", StringComparison.Ordinal).Replace("changes?from=2026-11-23\"", "changes?from=2026-11-23\" || true", StringComparison.Ordinal)
            + $"\nHUB=$HUB KEY=$KEY node {client}\n";

        var output = await BashAsync(lines);

        Assert.Contains("\"cause\":\"no2:above-maximum\",\"rows\":1", output, StringComparison.Ordinal);
        Assert.Contains("\"selected\":1,\"accepted\":1,\"duplicate\":0,\"discarded\":0,\"stillQuarantined\":0", output, StringComparison.Ordinal);
        Assert.Contains("event: state", output, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"searching\"", output, StringComparison.Ordinal);
        Assert.Contains("200 {\"receipt\":", output, StringComparison.Ordinal);
        Assert.Contains("\"received\":2,\"accepted\":2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lines_under_push_and_poll_end_with_the_mean_of_the_hour()
    {
        await using var hub = await HubFixture.StartAsync();
        var lines = Adapted(hub, Block("## Push and poll"));
        // The poll may be faster than the fold; naming the push's watermark makes it wait, as the text says.
        lines = lines.Replace("curl -sS -X POST $HUB/api/v1/datasets", "RECEIPT=$(curl -sS -X POST $HUB/api/v1/datasets", StringComparison.Ordinal);
        var end = lines.IndexOf("curl -sS \"$HUB/api/v1/indicators", StringComparison.Ordinal);
        lines = lines[..end].TrimEnd() + ")\necho \"$RECEIPT\"\nMARK=$(grep -o 'w1\\.[^\"]*' <<<\"$RECEIPT\")\n" + lines[end..].Replace("to=2026-11-24", "to=2026-11-24&watermark=$MARK", StringComparison.Ordinal);

        var output = await BashAsync(lines);
        Assert.Contains("\"received\":3,\"accepted\":2,\"duplicate\":0,\"quarantined\":1", output, StringComparison.Ordinal);
        Assert.Contains("above-maximum", output, StringComparison.Ordinal);
        Assert.Contains("\"value\":25.5,\"count\":2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_lines_of_the_agencies_program_push_a_file_and_follow_what_becomes_of_it()
    {
        await using var hub = await HubFixture.StartAsync();
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "messungen.csv"), "station;time;no2\na;2026-11-23T11:00:00Z;41,5\nb;2026-11-23T11:10:00Z;9999\n");
        const string Alias = "alias datahub=\"dotnet run --project client-api/tool --\"";
        var program = Block("## Push and poll", "bash", 2);
        Assert.Contains(Alias, program, StringComparison.Ordinal);
        // Shells that are not at a terminal know no aliases; a file of the test's has a quarantined row, so the program ends with 1; and following would never end.
        var lines = Adapted(hub, Block("## Push and poll")) + $"\ncd {folder.FullName}; export DATAHUB_STATE={folder.FullName}/state\n"
            + program.Replace(Alias, $"datahub() {{ dotnet {ToolProcess.Program} \"$@\"; }}", StringComparison.Ordinal)
                .Replace("--dataset luft ", "--dataset luft --json || [ $? = 1 ] ", StringComparison.Ordinal)
                .Replace("datahub tail no2", "datahub tail no2 --from 2026-11-23 --events 1", StringComparison.Ordinal);

        var output = await BashAsync(lines);

        Assert.Contains("\"received\":2,\"accepted\":1,\"duplicate\":0,\"quarantined\":1", output, StringComparison.Ordinal);
        Assert.Contains("no2:above-maximum", output, StringComparison.Ordinal);
        Assert.Contains("2026-11-23T11:00:00Z\t\t\t41.5\t1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_lines_about_where_a_number_comes_from_tell_of_the_correction()
    {
        await using var hub = await HubFixture.StartAsync();

        // That the poll waits for the push is what its watermark is for; here the number is waited for.
        static string Until(string value) => $"\nuntil curl -sS \"$HUB/api/v1/indicators/no2/values?from=2026-11-23\" | grep -q '\"value\":{value}'; do :; done\n";
        const string Explain = "curl -sS \"$HUB/api/v1/indicators/no2/explain";
        var lines = Adapted(hub, Block("## Where a number comes from"));
        Assert.Contains(Explain, lines, StringComparison.Ordinal);
        var output = await BashAsync(Adapted(hub, Block("## Push and poll")) + Until("25.5") + lines.Replace(Explain, Until("26.5") + Explain, StringComparison.Ordinal));

        Assert.Contains("\"recomputed\":", output, StringComparison.Ordinal);
        Assert.Contains("\"corrections\":[{", output, StringComparison.Ordinal);
        Assert.Contains("\"before\":{\"value\":25.5", output, StringComparison.Ordinal);
        Assert.Contains("\"after\":{\"value\":26.5", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_settings_exist_with_these_defaults()
    {
        var rows = (Readme() + "\n" + Readme("client-api")).Split('\n').Where(line => line.StartsWith("| `DataHub:", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToArray();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var setting = Hub.Settings.Sections.Concat(FrontEndHost.Settings.Sections).SelectMany(section => section.Settings).FirstOrDefault(s => s.Key == row[1].Trim('`'));
            Assert.True(setting is not null, $"{row[1]} does not exist");
            Assert.Equal(setting.Variable, row[2].Trim('`'));
            var said = row[3].Trim('`');
            Assert.Equal(setting.Default, said.EndsWith(" MiB", StringComparison.Ordinal) ? $"{long.Parse(said[..^4], System.Globalization.CultureInfo.InvariantCulture) << 20}" : said);
        }
    }

    private static string Adapted(HubFixture hub, string lines) => lines
        .Replace(ListenAddresses.Default, hub.Address.ToString().TrimEnd('/'), StringComparison.Ordinal)
        .Replace("data/admin.key", Path.Combine(hub.Folder, "admin.key"), StringComparison.Ordinal)
        .Replace("curl ", "curl -sS ", StringComparison.Ordinal);

    /// <summary>A block of code under a heading.</summary>
    /// <param name="number">From 0.</param>
    private static string Block(string heading, string language = "bash", int number = 0)
    {
        var text = Readme();
        var from = text.IndexOf(heading, StringComparison.Ordinal);
        for (; number >= 0; number--) from = text.IndexOf($"```{language}\n", from, StringComparison.Ordinal) + $"```{language}\n".Length;
        return text[from..text.IndexOf("```", from, StringComparison.Ordinal)];
    }

    /// <param name="room">Of a room of the house; none: that of the house.</param>
    private static string Readme(string room = "")
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "DataHub.sln"))) folder = folder.Parent!;
        return File.ReadAllText(Path.Combine(folder.FullName, room, "README.md"));
    }

    private static async Task<string> BashAsync(string script)
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = await bash.StandardOutput.ReadToEndAsync();
        var errors = await bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync();
        Assert.True(bash.ExitCode == 0, output + errors);
        return output;
    }
}
