using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Support;

using Microsoft.Data.Sqlite;

using Npgsql;

using Xunit.Abstractions;

namespace DataHub.Processes;

/// <summary>The audit log of the real program: tampered with, and under kills.</summary>
public sealed class AuditProcessTests(ITestOutputHelper output)
{
    private const string Free = "DROP TRIGGER audit_entry_stays; DROP TRIGGER audit_entry_keeps; ";

    [Fact]
    public async Task Every_way_of_tampering_with_the_files_is_told_by_its_place_and_a_lawful_deletion_is_not()
    {
        using var folder = new TemporaryFolder();
        string noted;
        long gone;
        await using (var hub = await HubProcess.StartAsync(folder.FullName))
        {
            using var admin = await AdminAsync(hub, folder);
            await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/umwelt", new { name = "Umwelt" }));
            for (var number = 0; number < 6; number++) await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/umwelt/keys", new { role = "push", label = $"k{number}" }));
            gone = 5;
            await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/audit/deletions", new { sequences = new[] { gone }, reason = "Antrag", authority = "Art. 17 DSGVO" }));
            noted = (await HubFixture.OkAsync(admin.GetAsync("api/v1/audit/head"))).RootElement.GetProperty("head").GetString()!;

            // Two at once would not know what the other does.
            var (exit, _, errors) = await HubProcess.RunAsync(null, "audit", "verify", "--data", folder.FullName);
            Assert.Equal(2, exit);
            Assert.Contains("--file", errors, StringComparison.Ordinal);
            await hub.StopAsync();
        }

        await VerifiedAsync("", 0, ["10 Einträge / entries, 1 rechtmäßig gelöscht / lawfully deleted, 0 Fehler / faults", $"Stand / head: {noted}"], "--expect", noted);
        await VerifiedAsync("UPDATE audit_entry SET content = CAST(replace(CAST(content AS TEXT), 'push', 'read') AS BLOB) WHERE sequence = 4", 1, ["Entry 4: the content was changed", "1 Fehler"]);
        await VerifiedAsync("UPDATE audit_entry SET actor = 'hub' WHERE sequence = 4", 1, ["Entry 4: what stands beside the content", "1 Fehler"]);
        await VerifiedAsync("DELETE FROM audit_entry WHERE sequence = 4", 1, ["Entry 4 is missing.", "1 Fehler"]);
        await VerifiedAsync("UPDATE audit_entry SET sequence = -1 WHERE sequence = 4; UPDATE audit_entry SET sequence = 4 WHERE sequence = 6; UPDATE audit_entry SET sequence = 6 WHERE sequence = -1", 1, ["Entry 4: the link is wrong", "Entry 6: the link is wrong"]);
        await VerifiedAsync("UPDATE audit_entry SET salt = NULL, content = NULL, id = NULL, at = NULL, action = NULL, agency = NULL, actor = NULL, object = NULL, outcome = NULL WHERE sequence = 4", 1, ["Entry 4: the content is lost", "1 rechtmäßig gelöscht"]);
        await VerifiedAsync("DELETE FROM audit_entry WHERE sequence > 8", 1, ["entry 10 is noted as the last, 8 was found", $"Entry {gone}: the content is lost"]);
        const string Cut = "DELETE FROM audit_entry WHERE sequence > 4; UPDATE audit_head SET sequence = 4, link = (SELECT link FROM audit_entry WHERE sequence = 4)";
        await VerifiedAsync(Cut, 0, ["4 Einträge"]);
        await VerifiedAsync(Cut, 1, ["The head 10 that was noted earlier is not in this log"], "--expect", noted);
        await VerifiedAsync("DELETE FROM audit_head", 1, ["entry 0 is noted as the last, 10 was found"]);
        var json = JsonDocument.Parse(await VerifiedAsync("DELETE FROM audit_entry WHERE sequence = 4", 1, [], "--json")).RootElement;
        Assert.Equal("missing", Assert.Single(json.GetProperty("faults").EnumerateArray()).GetProperty("kind").GetString());
        Assert.Equal(2, (await HubProcess.RunAsync(null, "audit", "verify", "--data", Path.Combine(folder.FullName, "nowhere"))).ExitCode);
        Assert.Equal(2, (await HubProcess.RunAsync(null, "audit", "verify", "--expect", "7")).ExitCode);

        async Task<string> VerifiedAsync(string sql, int exit, string[] says, params string[] options)
        {
            using var copy = folder.AfterCrash();
            if (sql.Length > 0) await TamperAsync(copy, Free + sql);
            var (code, said, errors) = await HubProcess.RunAsync(null, ["audit", "verify", "--data", copy.FullName, .. options]);
            Assert.True(code == exit, sql + "\n" + said + errors);
            foreach (var words in says) Assert.Contains(words, said, StringComparison.Ordinal);
            return said;
        }
    }

    [Fact]
    public async Task Kills_while_keys_are_made_leave_every_acknowledged_key_with_exactly_one_entry()
    {
        using var folder = new TemporaryFolder();
        var hub = await HubProcess.StartAsync(folder.FullName, environment: s_many);
        var port = hub.Address.Port;
        try
        {
            var acknowledged = new ConcurrentBag<(string Agency, string Id)>();
            using (var setup = await AdminAsync(hub, folder))
            {
                for (var client = 0; client < 3; client++) await HubFixture.OkAsync(setup.PutAsJsonAsync($"api/v1/agencies/a{client}", new { name = $"a{client}" }));
            }

            using var admin = await AdminAsync(hub, folder);
            using var load = new CancellationTokenSource();
            var making = Enumerable.Range(0, 3).Select(client => Task.Run(() => MakeKeysAsync(admin, $"a{client}", acknowledged, load.Token))).ToArray();
            var random = new Random(20261127);
            const int Kills = 4;
            for (var kill = 0; kill < Kills; kill++)
            {
                await Task.Delay(random.Next(300, 1_200));
                await hub.KillAsync();
                await hub.DisposeAsync();
                // After the last one nobody changes anything any more: what was kept is sent all the same.
                if (kill == Kills - 1) await load.CancelAsync();
                hub = await HubProcess.StartAsync(folder.FullName, port, s_many);
            }

            await Task.WhenAll(making);

            // Whoever looks at an agency has what it kept sent; the list has unacknowledged ones too.
            var noted = new List<(string Agency, string Id)>();
            for (var attempt = 0; ; attempt++)
            {
                var keys = new List<(string, string)>();
                for (var client = 0; client < 3; client++) keys.AddRange(await KeysAsync(admin, $"a{client}"));
                noted = await NotedAsync(admin);
                if (keys.Order().SequenceEqual(noted.Order())) break;
                Assert.True(attempt < 100, $"{keys.Count} keys, {noted.Count} entries");
                await Task.Delay(200);
            }

            Assert.Equal(noted.Count, noted.Distinct().Count());
            Assert.Superset(acknowledged.ToHashSet(), noted.ToHashSet());
            Assert.True(acknowledged.Count > 30, $"only {acknowledged.Count} keys were made");
            output.WriteLine($"{Kills} kills; {acknowledged.Count} keys acknowledged, {noted.Count} made, each with one entry.");
            await hub.StopAsync();
            var (exit, said, errors) = await HubProcess.RunAsync(null, "audit", "verify", "--data", folder.FullName);
            Assert.True(exit == 0, said + errors);
        }
        finally
        {
            await hub.DisposeAsync();
        }
    }

    [PostgresFact]
    public async Task A_clusters_log_is_verified_while_it_runs_and_tampering_is_told()
    {
        await using var cluster = await ClusterProcesses.StartAsync(silos: 1, frontEnds: 1);
        using var admin = cluster.Client(0, cluster.AdminKey);
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/umwelt", new { name = "Umwelt" }));
        for (var number = 0; number < 4; number++) await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/umwelt/keys", new { role = "push", label = $"k{number}" }));
        var places = (await HubFixture.OkAsync(admin.GetAsync("api/v1/audit?agency=umwelt&order=oldest"))).RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("sequence").GetInt64()).ToArray();
        Assert.Equal(5, places.Length);
        await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/audit/deletions", new { sequences = new[] { places[1] }, reason = "Antrag", authority = "Art. 17 DSGVO" }));
        var noted = (await HubFixture.OkAsync(admin.GetAsync("api/v1/audit/head"))).RootElement.GetProperty("head").GetString()!;
        var whole = await cluster.CommandAsync("audit", "verify", "--expect", noted);
        Assert.True(whole.ExitCode == 0, whole.Output + whole.Errors);
        Assert.Contains("1 rechtmäßig gelöscht / lawfully deleted, 0 Fehler / faults", whole.Output, StringComparison.Ordinal);

        await using (var connection = new NpgsqlConnection(cluster.ConnectionString))
        {
            await connection.OpenAsync();
            await using var change = new NpgsqlCommand($"ALTER TABLE datahub.audit_entry DISABLE TRIGGER ALL; UPDATE datahub.audit_entry SET actor = 'hub' WHERE sequence = {places[2]}; DELETE FROM datahub.audit_entry WHERE sequence = {places[3]}", connection);
            await change.ExecuteNonQueryAsync();
        }

        var changed = await cluster.CommandAsync("audit", "verify");
        Assert.Equal(1, changed.ExitCode);
        Assert.Contains($"Entry {places[2]}: what stands beside the content", changed.Output, StringComparison.Ordinal);
        Assert.Contains($"Entry {places[3]} is missing.", changed.Output, StringComparison.Ordinal);
        Assert.Contains("2 Fehler", changed.Output, StringComparison.Ordinal);
    }

    private static readonly Dictionary<string, string> s_many = new() { ["DATAHUB__CATALOG__MAXKEYS"] = "1000" };

    private static async Task<HttpClient> AdminAsync(HubProcess hub, TemporaryFolder folder)
    {
        var client = new HttpClient { BaseAddress = hub.Address, Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "admin.key"))).Trim());
        return client;
    }

    private static async Task MakeKeysAsync(HttpClient admin, string agency, ConcurrentBag<(string, string)> acknowledged, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var answer = await admin.PostAsJsonAsync($"api/v1/agencies/{agency}/keys", new { role = "read" }, CancellationToken.None);
                if (answer.StatusCode == HttpStatusCode.Created) acknowledged.Add((agency, (await answer.Content.ReadFromJsonAsync<JsonElement>(CancellationToken.None)).GetProperty("id").GetString()!));
                else if (answer.StatusCode == HttpStatusCode.UnprocessableEntity) return;
            }
            catch (Exception e) when (Unreachable.Is(e) || e is TaskCanceledException)
            {
                // Dead or dying: whether the key was made is not known.
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }

    private static async Task<List<(string, string)>> KeysAsync(HttpClient admin, string agency)
    {
        var found = new List<(string, string)>();
        for (var next = $"/api/v1/agencies/{agency}/keys?limit=1000"; next is not null;)
        {
            var page = (await HubFixture.OkAsync(admin.GetAsync(next))).RootElement;
            found.AddRange(page.GetProperty("keys").EnumerateArray().Select(key => (agency, key.GetProperty("id").GetString()!)));
            next = page.GetProperty("next").GetString();
        }

        return found;
    }

    private static async Task<List<(string, string)>> NotedAsync(HttpClient admin)
    {
        var lines = (await admin.GetStringAsync("api/v1/audit?action=key.created&format=ndjson")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => JsonDocument.Parse(line).RootElement).Where(entry => entry.GetProperty("agency").GetString() != "platform")
            .Select(entry => (entry.GetProperty("agency").GetString()!, entry.GetProperty("detail").GetProperty("key").GetString()!))];
    }

    private static async Task TamperAsync(TemporaryFolder folder, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder.FullName, "audit.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of the test.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
