using System.Diagnostics;
using System.Net;
using System.Text;

using Microsoft.Data.Sqlite;

namespace DataHub.Benchmarks;

/// <summary>A hub with so many stored rows, and what reading from it takes.</summary>
internal sealed class StoredReads
{
    public const string Dataset = "stored";

    private const int Polls = 5_000;
    private const int Changes = 25;
    private const int RowsBeforeKill = 100_000;

    private readonly EmbeddedHub _process;
    private readonly Questions _questions;

    /// <param name="rows">What is pushed; null: of a thousand series, 60 ms from row to row.</param>
    public StoredReads(EmbeddedHub process, SeriesRows? rows = null)
    {
        _process = process;
        Hub = new(process.Address, Dataset);
        Lanes = new(Hub, Dataset, rows ?? new(1_000, 4));
        _questions = new(Hub, Dataset);
    }

    public HubUnderLoad Hub { get; }

    /// <summary>What is pushed.</summary>
    public Lanes Lanes { get; }

    /// <summary>Per kind of reading the milliseconds, sorted, of each round.</summary>
    public Dictionary<string, List<double[]>> Waits { get; } = [];

    public async Task StoreAsync(int rows)
    {
        await Hub.DescribeAsync(_process.AdminKey);
        await PushAsync(rows);
    }

    /// <summary>Rows that come after those before.</summary>
    public Task PushAsync(int rows) => Lanes.PushAsync(rows, 1_000);

    /// <summary>Reads until the code that the hub runs is compiled for good.</summary>
    public async Task WarmUpAsync()
    {
        await ReadAsync();
        Waits.Clear();
    }

    /// <summary>One round: polls, whole and known, and a question after each of some changes.</summary>
    public async Task ReadAsync()
    {
        using (var load = new Load(_process.Address, null, 1))
        {
            using var first = await load.Http.GetAsync(Hub.PollPath);
            var tag = first.Headers.ETag!;
            Note("a poll, 200", (await load.SendAsync(Polls, _ => new(HttpMethod.Get, Hub.PollPath), answer => answer.StatusCode == HttpStatusCode.OK)).Latencies);
            Note("a poll, 304", (await load.SendAsync(Polls, _ => new(HttpMethod.Get, Hub.PollPath) { Headers = { IfNoneMatch = { tag } } }, answer => answer.StatusCode == HttpStatusCode.NotModified)).Latencies);
        }

        Note("the first hour of 542 areas, after a change", (await _questions.AskAsync(_questions.Map("json").Path, Changes)).Changed);

        void Note(string what, double[] waits)
        {
            if (Waits.TryGetValue(what, out var rounds)) rounds.Add(waits);
            else Waits[what] = [waits];
        }
    }

    /// <summary>Prints what was read beside what was read of fewer rows.</summary>
    public void Print(long rows, Dictionary<string, List<double[]>> beside, long fewer)
    {
        foreach (var (what, waits) in Waits)
        {
            var (first, then) = (Median(beside[what]), Median(waits));
            Scale.Row($"{what}, {rows:N0} rows stored: p50 / p99 in ms", $"{then.P50:F2} / {then.P99:F2}", $"{fewer:N0} rows: {first.P50:F2} / {first.P99:F2}", $"{then.P50 / first.P50:F2}", "≤ 1.1");
        }

        static (double P50, double P99) Median(List<double[]> rounds) =>
            (Table.Median(rounds.Select(round => round[round.Length / 2])), Table.Median(rounds.Select(round => round[(int)(round.Length * 0.99)])));
    }

    /// <summary>Bytes of each database, its write-ahead log written back, by the rows stored.</summary>
    public async Task DiskAsync(long rows)
    {
        await _process.StopAsync();
        var total = 0L;
        foreach (var file in Directory.EnumerateFiles(_process.Data, "*.db").Order(StringComparer.Ordinal))
        {
            using (var connection = new SqliteConnection($"Data Source={file};Pooling=False"))
            {
                connection.Open();
                using var checkpoint = connection.CreateCommand();
                checkpoint.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
                checkpoint.ExecuteNonQuery();
            }

            var bytes = new FileInfo(file).Length;
            total += bytes;
            Scale.Row($"bytes on disk per row, {Path.GetFileName(file)}", $"{bytes / (double)rows:F1}");
        }

        Scale.Row("bytes on disk per row, all", $"{total / (double)rows:F1}");
    }

    /// <summary>From the start of the process until it is ready, and until it has accepted a push: after it was stopped, and after it was killed.</summary>
    /// <param name="empty">Seconds until a hub with an empty folder was ready.</param>
    public async Task StartsAsync(long rows, double empty)
    {
        foreach (var how in new[] { "stopped", "killed" })
        {
            var clock = Stopwatch.StartNew();
            await _process.StartAsync();
            var ready = clock.Elapsed.TotalSeconds;
            await PushOneAsync(how);
            var accepted = clock.Elapsed.TotalSeconds;
            using (var http = new HttpClient { BaseAddress = _process.Address }) await Hub.WaitAsync(http);
            var caughtUp = clock.Elapsed.TotalSeconds;
            Scale.Row($"start with {rows:N0} rows, {how} before: ready, s", $"{ready:F2}", $"empty folder: {empty:F2}", $"{ready / empty:F2}");
            Scale.Row("the same: first accepted push, s", $"{accepted:F2}", "–", "–", "≤ 3");
            Scale.Row("the same: folds and history have everything, s", $"{caughtUp:F2}");
            // What it has just been given is in the log, and not all of it where folds and history store.
            if (how == "stopped") await PushAsync(RowsBeforeKill);
            _process.Kill();
        }
    }

    private async Task PushOneAsync(string station)
    {
        using var http = new HttpClient { BaseAddress = _process.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Hub.Key);
        var row = Encoding.UTF8.GetBytes($$"""{"station":"{{station}}","time":"2024-06-01T00:00:00Z","area":"{{Rows.AreaId(0)}}","no2":1}""");
        Hub.Expect(1);
        long sequence;
        do
        {
            using var answer = await http.SendAsync(Load.Post(HubUnderLoad.PushPath(Dataset), row));
            sequence = Hub.Note(answer);
            // It may ask to come again for a while, and nothing else.
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) answer.EnsureSuccessStatusCode();
        }
        while (sequence == 0);
    }
}
