using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

using DataHub.Support;

using Xunit.Abstractions;

namespace DataHub.Cluster;

/// <summary>What was revoked is without effect a second later on every front-end, also when a silo dies meanwhile.</summary>
public sealed class AccessClusterTests(ITestOutputHelper output)
{
    [PostgresFact]
    public async Task A_second_after_a_key_a_role_and_an_agreement_were_revoked_no_front_end_gives_a_row_although_a_silo_dies()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var cluster = await ClusterProcesses.CreateAsync(silos: 2, frontEnds: 2);
        foreach (var front in cluster.FrontEnds)
        {
            foreach (var (name, value) in issuer.Settings()) front.Environment["DATAHUB__" + name["DataHub:".Length..].ToUpperInvariant().Replace(":", "__", StringComparison.Ordinal)] = value!;
        }

        foreach (var member in cluster.Members) member.Start();
        await Task.WhenAll(cluster.Members.Select(member => member.ReadyAsync()));
        var admin = cluster.Client(0, cluster.AdminKey);
        await cluster.DescribeAsync("luft");
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/dataspaces/raum", new { title = "Raum", owner = "amt" }));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/datasets/luft", Closed()));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/indicators/luft-sum", new { title = "Summe", dataset = "luft", measure = new { function = "sum", field = "value" }, window = "PT1H" }));
        await HubFixture.OkAsync(ClusterProcesses.PushAsync(admin, "luft", "k", 0, 1));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt/groups/leser", new { name = "Leser" }));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/amt/groups/leser/members/oidc:ada", new { why = "Probe" }));

        var key = (await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/amt/keys", new { role = "read" }))).RootElement;
        var grant = (await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/dataspaces/raum/grants", new { group = "amt/leser", role = "reader", why = "Probe" }))).RootElement.GetProperty("id").GetString();
        await using var readers = new Readers(cluster, key.GetProperty("key").GetString()!, issuer.Token(null, ("sub", "ada")), await AgreeAsync(admin));
        await readers.UntilAllReadAsync();

        // The silo goes in the middle of it; whoever revokes repeats until it is done.
        var killed = cluster.Silos[0].KillAsync();
        var revoked = Stopwatch.GetTimestamp();
        await UntilDoneAsync(() => admin.DeleteAsync($"api/v1/agencies/amt/keys/{key.GetProperty("id").GetString()}"));
        readers.Revoked(0, Stopwatch.GetTimestamp());
        await UntilDoneAsync(() => admin.PostAsJsonAsync($"api/v1/dataspaces/raum/grants/{grant}/revocation", new { why = "Probe" }));
        readers.Revoked(1, Stopwatch.GetTimestamp());
        await UntilDoneAsync(async () =>
        {
            // Of one whose answer was lost the repeat says that it is revoked.
            var answer = await admin.PostAsJsonAsync("api/v1/agreements/v/acts", new { act = "revoke", side = "provider", reason = "Probe" });
            return answer.StatusCode == HttpStatusCode.Conflict ? new(HttpStatusCode.OK) : answer;
        });
        readers.Revoked(2, Stopwatch.GetTimestamp());
        output.WriteLine($"all revoked {Stopwatch.GetElapsedTime(revoked).TotalSeconds:F1} s after the kill began");
        await killed;
        await Task.Delay(TimeSpan.FromSeconds(4));
        await readers.StopAsync();
        foreach (var late in readers.Late) output.WriteLine(late);
        output.WriteLine($"{readers.Given} answers with rows, {readers.Refused} refused, the last with rows {readers.Last.TotalMilliseconds:F0} ms after its revocation");
        Assert.True(readers.Last < TimeSpan.FromSeconds(1), $"rows were given {readers.Last} after the revocation");
        Assert.True(readers.Refused > 0);
    }

    /// <summary>An agreement in force.</summary>
    /// <returns>A key of the other agency.</returns>
    internal static async Task<string> AgreeAsync(HttpClient admin)
    {
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agencies/bezirk", new { name = "Bezirk" }));
        await HubFixture.OkAsync(admin.PutAsJsonAsync("api/v1/agreements/v", new
        {
            title = "Probe",
            provider = "amt",
            recipient = "bezirk",
            dataset = "luft",
            purposes = new[] { new { id = "planung", text = "Planung" } },
            legalBasis = "§ 12 EGovG",
            use = new { publication = "aggregatesOnly" },
            duties = new[] { new { id = "bericht", kind = "report", text = "Bericht", every = "P30D", missed = "notice" } },
            term = new { from = DateTimeOffset.UtcNow.AddMinutes(-5), until = DateTimeOffset.UtcNow.AddYears(1), notice = "P1M" },
        }));
        using var other = new HttpClient { BaseAddress = admin.BaseAddress };
        other.DefaultRequestHeaders.Authorization = new("Bearer", (await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/bezirk/keys", new { role = "admin" }))).RootElement.GetProperty("key").GetString());
        foreach (var (client, act, side) in new[] { (admin, "acknowledge-charter", "provider"), (admin, "offer", "provider"), (other, "acknowledge-charter", "recipient"), (admin, "agree", "provider"), (other, "agree", "recipient") })
            await HubFixture.OkAsync(client.PostAsJsonAsync("api/v1/agreements/v/acts", new { act, side }));
        return (await HubFixture.OkAsync(admin.PostAsJsonAsync("api/v1/agencies/bezirk/keys", new { role = "read" }))).RootElement.GetProperty("key").GetString()!;
    }

    internal static object Closed() => new
    {
        title = new { de = "luft" },
        publisher = "amt",
        license = "dl-de/by-2-0",
        dataspace = "raum",
        kind = "observations",
        access = "internal",
        schema = new
        {
            primaryKey = new[] { "station", "time" },
            fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "value", type = "number", role = "measure" } },
        },
    };

    internal static async Task UntilDoneAsync(Func<Task<HttpResponseMessage>> call)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(50))
        {
            using var answer = await call();
            if (answer.IsSuccessStatusCode) return;
            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable && waited.Elapsed < TimeSpan.FromSeconds(60), $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>Read rows and values all the time, with a key and with a token, through every front-end.</summary>
    private sealed class Readers : IAsyncDisposable
    {
        private readonly CancellationTokenSource _enough = new();
        private readonly long[] _revoked = [long.MaxValue, long.MaxValue, long.MaxValue];
        private readonly Task[] _reading;
        private readonly bool[] _has;
        private readonly Lock _gate = new();
        private TimeSpan _last = TimeSpan.MinValue;

        public Readers(ClusterProcesses cluster, string key, string token, string other)
        {
            var readers = new List<Task>();
            _has = new bool[cluster.FrontEnds.Length * 6];
            for (var front = 0; front < cluster.FrontEnds.Length; front++)
            {
                foreach (var (credential, kind) in new[] { (key, 0), (token, 1) })
                {
                    foreach (var path in new[] { "api/v1/datasets/luft/records", "api/v1/indicators/luft-sum/values?from=2026-11-23" })
                    {
                        var (client, number) = (cluster.Client(front, credential), readers.Count);
                        readers.Add(Task.Run(() => ReadAsync(client, path, kind, number)));
                    }
                }

                foreach (var path in new[] { "api/v1/datasets/luft/records", "api/v1/indicators/luft-sum/values?from=2026-11-23" })
                {
                    var (through, place) = (cluster.Client(front, other), readers.Count);
                    through.DefaultRequestHeaders.Add("DataHub-Purpose", "planung");
                    readers.Add(Task.Run(() => ReadAsync(through, path, 2, place)));
                }
            }

            _reading = [.. readers];
        }

        public int Given { get; private set; }

        public int Refused { get; private set; }

        /// <summary>Rows that were given after a revocation: by whom, of what, when.</summary>
        public List<string> Late { get; } = [];

        /// <summary>The longest time between a revocation and the giving of rows.</summary>
        public TimeSpan Last => _last < TimeSpan.Zero ? TimeSpan.Zero : _last;

        public void Revoked(int kind, long at) => Volatile.Write(ref _revoked[kind], at);

        public async Task UntilAllReadAsync()
        {
            for (var waited = Stopwatch.StartNew(); !_has.All(has => has); await Task.Delay(20))
                Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "not everybody could read in time");
        }

        public async Task StopAsync()
        {
            await _enough.CancelAsync();
            await Task.WhenAll(_reading);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _enough.Dispose();
        }

        private async Task ReadAsync(HttpClient client, string path, int kind, int number)
        {
            while (!_enough.IsCancellationRequested)
            {
                var asked = Stopwatch.GetTimestamp();
                using var answer = await client.GetAsync(path);
                var at = Stopwatch.GetTimestamp();
                await answer.Content.ReadAsByteArrayAsync();
                lock (_gate)
                {
                    if (answer.IsSuccessStatusCode)
                    {
                        Given++;
                        _has[number] = true;
                        var after = Volatile.Read(ref _revoked[kind]) is var revoked && revoked == long.MaxValue ? TimeSpan.MinValue : Stopwatch.GetElapsedTime(revoked, at);
                        if (after > _last) _last = after;
                        if (after > TimeSpan.Zero) Late.Add($"reader {number} got {path} {after.TotalMilliseconds:F0} ms after the revocation, {Stopwatch.GetElapsedTime(asked, at).TotalMilliseconds:F0} ms after it asked");
                    }
                    else if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                    {
                        Refused++;
                    }
                }

                await Task.Delay(10);
            }
        }
    }
}
