using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using DuckDB.NET.Data;

using Npgsql;

namespace DataHub.Benchmarks;

/// <summary>
/// The whole way of a file through a job on an embedded hub (upload, read, check, transform, write into a dataset until its
/// receipt says so), in rows a second; beside it DuckDB alone on the same file with the same checks and the same SQL, and
/// PostgreSQL's COPY of the same file. And a larger file, whose rows a job sums up: how much memory it takes.
/// </summary>
internal sealed class Pipeline(int rows, int megabytes) : IAsyncDisposable
{
    private const string Sql = "SELECT station, time, area, no2 FROM datei WHERE no2 IS NOT NULL";

    private const string Read = """
        { "id": "datei", "read": { "file": { "type": "csv", "encoding": "utf-8", "delimiter": ",", "decimalChar": ".", "columns": [
          { "header": "station", "type": "string" }, { "header": "time", "type": "datetime" }, { "header": "area", "type": "string" }, { "header": "no2", "type": "number" } ] } } },
        { "id": "pruefung", "check": { "input": "datei", "rules": [ { "column": "station", "required": true }, { "column": "no2", "minimum": 0, "maximum": 2000 }, { "unique": ["station", "time"] } ] } },
        """;

    private readonly EmbeddedHub _process = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("datahub-benchmark-").FullName;
    private PostgresServer? _postgres;

    public async Task<int> RunAsync()
    {
        await _process.StartAsync();
        await new HubUnderLoad(_process.Address, "pipeline") { Agency = "pipeline" }.DescribeAsync(_process.AdminKey);
        using var http = new HttpClient { BaseAddress = _process.Address, Timeout = TimeSpan.FromHours(1) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _process.AdminKey);
        await JobAsync(http, "ganz", Read + $$"""
            { "id": "tabelle", "transform": { "inputs": ["datei"], "sql": "{{Sql}}" } }, { "id": "schreiben", "write": { "input": "tabelle", "dataset": "pipeline" } }
            """);
        await JobAsync(http, "summen", Read + """
            { "id": "tabelle", "transform": { "inputs": ["datei"], "sql": "SELECT area, date_trunc('day', time) AS time, count(*) AS n, max(no2) AS no2 FROM datei GROUP BY ALL" } }
            """);

        // First, of a hub that has done nothing yet: how much more than at rest does a large file take?
        if (megabytes > 0) await LargeAsync(http);
        if (rows > 0) await TimeAsync(http);
        return 0;
    }

    private async Task LargeAsync(HttpClient http)
    {
        await Task.Delay(TimeSpan.FromSeconds(5));
        var large = Path.Combine(_folder, "large.csv");
        var many = await WriteAsync(large, int.MaxValue, 0, (long)megabytes * 1_000_000);
        var before = _process.Process.ResidentBytes;
        var upload = Stopwatch.StartNew();
        using var watch = new MemoryWatch(_process.Process.Id);
        var id = await UploadAsync(http, large);
        var uploaded = upload.Elapsed.TotalSeconds;
        var (seconds, steps, _) = await RunAsync(http, "summen", id);
        Console.WriteLine($"{megabytes:N0} MB, {many:N0} rows: uploaded in {uploaded:F0} s, run in {seconds:F0} s ({string.Join(", ", steps.Select(step => $"{step.Step} {step.Seconds:F0}"))}); silo {before >> 20:N0} MiB before, at most {(watch.Silo - before) >> 20:N0} MiB more; process of the SQL at most {watch.Sql >> 20:N0} MiB; both together at most {(watch.Together - before) >> 20:N0} MiB more than before.");
    }

    private async Task TimeAsync(HttpClient http)
    {
        var file = Path.Combine(_folder, "rows.csv");
        // Until the code that the hub runs is compiled for good. The rows of the file continue its series.
        const int First = 100_000;
        var small = Path.Combine(_folder, "small.csv");
        await WriteAsync(small, First);
        await WriteAsync(file, rows, First);
        await RunAsync(http, "ganz", await UploadAsync(http, small));

        var upload = Stopwatch.StartNew();
        var id = await UploadAsync(http, file);
        var uploaded = upload.Elapsed.TotalSeconds;
        var (seconds, steps, memory) = await RunAsync(http, "ganz", id);
        var duck = await DuckAsync(file);
        var copy = await CopyAsync(file);
        Console.WriteLine(Table.Machine(1));
        Console.WriteLine();
        Console.WriteLine($"| {rows:N0} rows, {new FileInfo(file).Length / 1e6:N0} MB of CSV | seconds | rows/s |");
        Console.WriteLine("| --- | ---: | ---: |");
        Line("upload", uploaded);
        foreach (var (step, took) in steps) Line(step, took);
        Line("the run from its order to its end", seconds);
        Line("DuckDB alone: the same file, checks and SQL, into a database of its own", duck);
        Line("PostgreSQL: COPY of the same file", copy);
        Console.WriteLine();
        Console.WriteLine($"The run at {duck / seconds:F2} of DuckDB's rate and {copy / seconds:F2} of COPY's; memory over what the hub had before: silo {memory.Silo >> 20:N0} MiB, process of the SQL {memory.Sql >> 20:N0} MiB at most.");

        void Line(string what, double took) => Console.WriteLine($"| {what} | {took:F1} | {rows / took:N0} |");
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        if (_postgres is not null) await _postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <returns>How many rows there are.</returns>
    private static async Task<int> WriteAsync(string path, int count, int first = 0, long bytes = long.MaxValue)
    {
        await using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 20);
        await file.WriteAsync("station,time,area,no2\n");
        var (written, row) = (0L, 0);
        for (; row < count && written < bytes; row++)
        {
            var line = string.Create(CultureInfo.InvariantCulture, $"{Rows.Station(first + row)},{Rows.Time(first + row):yyyy-MM-dd'T'HH:mm:ss'Z'},{Rows.Area(first + row)},{Rows.Value(first + row)}\n");
            written += line.Length;
            await file.WriteAsync(line);
        }

        return row;
    }

    private static async Task JobAsync(HttpClient http, string job, string steps)
    {
        using var answer = await http.PutAsync($"/api/v1/jobs/{job}", new StringContent($$"""{ "title": "{{job}}", "agency": "pipeline", "steps": [ {{steps}} ] }""", Encoding.UTF8, "application/json"));
        await ReadAsync(answer);
    }

    /// <summary>Piece by piece, as tus has it.</summary>
    private static async Task<string> UploadAsync(HttpClient http, string path)
    {
        await using var file = File.OpenRead(path);
        using var begin = new HttpRequestMessage(HttpMethod.Post, "/api/v1/files?agency=pipeline");
        begin.Headers.Add("Tus-Resumable", "1.0.0");
        begin.Headers.Add("Upload-Length", file.Length.ToString(CultureInfo.InvariantCulture));
        begin.Headers.Add("Upload-Metadata", $"filename {Convert.ToBase64String(Encoding.UTF8.GetBytes("rows.csv"))}");
        using var made = await http.SendAsync(begin);
        var location = made.EnsureSuccessStatusCode().Headers.Location!.ToString();
        var buffer = new byte[8 << 20];
        for (long at = 0; at < file.Length;)
        {
            var read = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false);
            using var piece = new HttpRequestMessage(HttpMethod.Patch, location) { Content = new ByteArrayContent(buffer, 0, read) };
            piece.Content.Headers.ContentType = new("application/offset+octet-stream");
            piece.Headers.Add("Tus-Resumable", "1.0.0");
            piece.Headers.Add("Upload-Offset", at.ToString(CultureInfo.InvariantCulture));
            using var taken = await http.SendAsync(piece);
            taken.EnsureSuccessStatusCode();
            at += read;
        }

        return location.Split('/')[^1];
    }

    private async Task<(double Seconds, (string Step, double Seconds)[] Steps, (long Silo, long Sql) Memory)> RunAsync(HttpClient http, string job, string file)
    {
        var before = _process.Process.ResidentBytes;
        using var watch = new MemoryWatch(_process.Process.Id);
        var clock = Stopwatch.StartNew();
        using var ordered = await http.PostAsync($"/api/v1/jobs/{job}/runs", new StringContent($$"""{ "files": { "datei": "{{file}}" } }""", Encoding.UTF8, "application/json"));
        var run = (await ReadAsync(ordered)).GetProperty("id").GetString()!;
        while (true)
        {
            using var answer = await http.GetAsync("/api/v1/runs/" + run);
            var now = await ReadAsync(answer);
            var state = now.GetProperty("state").GetString();
            if (state == "complete")
            {
                return (clock.Elapsed.TotalSeconds,
                    [.. now.GetProperty("steps").EnumerateArray().Select(step => (step.GetProperty("kind").GetString()!, (step.GetProperty("ended").GetDateTimeOffset() - step.GetProperty("started").GetDateTimeOffset()).TotalSeconds))],
                    (Math.Max(0, watch.Silo - before), watch.Sql));
            }

            if (state is "fail" or "abort") throw new InvalidOperationException(now.GetRawText());
            await Task.Delay(20);
        }
    }

    /// <summary>DuckDB with all cores and all memory, straight from the file.</summary>
    private async Task<double> DuckAsync(string file)
    {
        await using var connection = new DuckDBConnection($"Data Source={Path.Combine(_folder, "raw.duckdb")}");
        await connection.OpenAsync();
        var clock = Stopwatch.StartNew();
        await ExecuteAsync($"CREATE TABLE datei AS SELECT * FROM read_csv('{file}', header = true, columns = {{'station': 'VARCHAR', 'time': 'TIMESTAMP', 'area': 'VARCHAR', 'no2': 'DOUBLE'}})");
        foreach (var check in new[] { "SELECT count(*) FROM datei WHERE station IS NULL", "SELECT count(*) FROM datei WHERE no2 < 0 OR no2 > 2000", "SELECT count(*) FROM (SELECT 1 FROM datei GROUP BY station, time HAVING count(*) > 1)" })
        {
            if (await ExecuteAsync(check) is not 0L) throw new InvalidOperationException("a check of DuckDB's finds faults");
        }

        await ExecuteAsync($"CREATE TABLE tabelle AS {Sql}");
        await ExecuteAsync("CHECKPOINT");
        return clock.Elapsed.TotalSeconds;

        async Task<object?> ExecuteAsync(string sql)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            return await command.ExecuteScalarAsync();
        }
    }

    /// <summary>One COPY and its commit, durable, into a table without an index.</summary>
    private async Task<double> CopyAsync(string file)
    {
        _postgres = await PostgresServer.StartAsync();
        var address = await _postgres.CreateDatabaseAsync();
        await RawPostgres.RequireDurabilityAsync(address);
        await using var connection = new NpgsqlConnection(address);
        await connection.OpenAsync();
        await using (var create = new NpgsqlCommand("CREATE TABLE raw_file (station text, time timestamptz, area text, no2 float8)", connection)) await create.ExecuteNonQueryAsync();
        var clock = Stopwatch.StartNew();
        await using (var copy = await connection.BeginTextImportAsync("COPY raw_file FROM STDIN (FORMAT csv, HEADER)"))
        {
            using var text = new StreamReader(file);
            var buffer = new char[1 << 20];
            int read;
            while ((read = await text.ReadBlockAsync(buffer)) > 0) await copy.WriteAsync(buffer.AsMemory(0, read));
        }

        return clock.Elapsed.TotalSeconds;
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonDocument.Parse(text).RootElement : throw new InvalidOperationException(text);
    }

    /// <summary>The most memory (RSS) that a process and its children had, looked at twenty times a second.</summary>
    private sealed class MemoryWatch : IDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task _watching;

        public MemoryWatch(int process) => _watching = Task.Run(() => WatchAsync(process));

        public long Silo { get; private set; }

        /// <summary>Of all its children together.</summary>
        public long Sql { get; private set; }

        /// <summary>Of all at the same time.</summary>
        public long Together { get; private set; }

        public void Dispose()
        {
            _end.Cancel();
            _watching.Wait();
            _end.Dispose();
        }

        private async Task WatchAsync(int process)
        {
            while (!_end.IsCancellationRequested)
            {
                var silo = Resident(process);
                Silo = Math.Max(Silo, silo);
                var children = 0L;
                foreach (var task in Directory.EnumerateDirectories($"/proc/{process}/task"))
                {
                    try
                    {
                        foreach (var child in (await File.ReadAllTextAsync(Path.Combine(task, "children"))).Split(' ', StringSplitOptions.RemoveEmptyEntries)) children += Resident(int.Parse(child, CultureInfo.InvariantCulture));
                    }
                    catch (IOException)
                    {
                        // A thread that has just ended.
                    }
                }

                Sql = Math.Max(Sql, children);
                Together = Math.Max(Together, silo + children);
                await Task.Delay(50);
            }
        }

        private static long Resident(int process)
        {
            try
            {
                return long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }
}
