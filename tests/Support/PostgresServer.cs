using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

using DataHub.Storage.Postgres;

using Npgsql;

namespace DataHub.Support;

/// <summary>
/// A real PostgreSQL of the tests' own: fresh, on 127.0.0.1, in a temporary folder, with its defaults for durability. It
/// ends with the process that started it, however that ends.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Password = "tests-only";
    private const string Template = "datahub_template";

    private static readonly Lazy<Task<PostgresServer>> s_shared = new(() => StartAsync());

    // As long as its input is open the shell lets the server live; told "keep" it leaves the folder. Ctrl-C is for whoever
    // started it, who then closes the input.
    private const string Script =
        """
        trap '' INT
        folder=$1 port=$2
        shift 2
        "$0/postgres" -D "$folder" -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories='' -c max_connections=300 -c log_min_messages=warning -c max_wal_size=2GB "$@" > "$folder.log" 2>&1 &
        server=$!
        echo "$server"
        read word
        if [ "$word" != keep ]; then kill -QUIT "$server" 2>/dev/null; fi
        wait "$server"
        if [ "$word" != keep ]; then rm -rf "$folder" "$folder.log"; fi
        """;

    private readonly string _folder;
    private readonly string[] _settings;
    private readonly SemaphoreSlim _making = new(1, 1);
    private Process? _shell;
    private int _pid;
    private bool _hasTemplate;
    private int _databases;

    private PostgresServer(string folder, int port, string[] settings) => (_folder, Port, _settings) = (folder, port, settings);

    public int Port { get; }

    /// <summary>What it has written to its log so far: warnings, and statements that it refused.</summary>
    public string Said
    {
        get
        {
            using var reader = new StreamReader(new FileStream(_folder + ".log", FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return reader.ReadToEnd();
        }
    }

    /// <summary>Of the server itself; its other processes are children of that one.</summary>
    public int ProcessId => _pid;

    /// <summary>Why no server can be started here; null where one can.</summary>
    public static string? Missing =>
        OperatingSystem.IsWindows() ? "the tests' PostgreSQL needs Linux or macOS"
        : Programs is null ? "PostgreSQL's server is not installed (apt-get install postgresql, or name the folder of initdb in POSTGRES_BIN)"
        : IsRoot && RunAs is null ? "PostgreSQL does not run as root, and there is no user postgres or nobody with setpriv to run it as"
        : null;

    /// <summary>One for all tests that only need databases of their own.</summary>
    public static Task<PostgresServer> SharedAsync() => s_shared.Value;

    /// <param name="settings">Of its own, as <c>name=value</c>.</param>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        if (Missing is { } missing) throw new InvalidOperationException(missing);
        var folder = Path.Combine(Path.GetTempPath(), $"datahub-postgres-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        var secret = folder + ".secret";
        await File.WriteAllTextAsync(secret, Password);
        if (RunAs is { } user) await RunAsync("chown", [user, folder, secret]);
        try
        {
            await RunAsync(Programs + "/initdb", ["-D", folder, "-U", "postgres", "-A", "scram-sha-256", $"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"], asServer: true);
        }
        finally
        {
            File.Delete(secret);
        }

        var server = new PostgresServer(folder, FreePort(), settings);
        await server.LaunchAsync();
        return server;
    }

    /// <summary>As the server's administrator.</summary>
    public string AdminConnectionString(string database = "postgres") =>
        $"Host=127.0.0.1;Port={Port.ToString(CultureInfo.InvariantCulture)};Username=postgres;Password={Password};Database={database};Include Error Detail=true";

    /// <summary>An empty database with the hub's schema.</summary>
    /// <returns>Connection string of the administrator.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        await _making.WaitAsync();
        try
        {
            if (!_hasTemplate)
            {
                await ExecuteAsync($"CREATE DATABASE {Template}");
                await using var connection = new NpgsqlConnection(AdminConnectionString(Template) + ";Pooling=false");
                await connection.OpenAsync();
                await PostgresMigrations.ApplyAsync(connection, null, CancellationToken.None);
                _hasTemplate = true;
            }

            return await CreateFromAsync(Template);
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>A database with nothing in it.</summary>
    public Task<string> CreateEmptyDatabaseAsync() => CreateFromAsync("template0");

    public async Task DropDatabaseAsync(string connectionString)
    {
        NpgsqlConnection.ClearPool(new NpgsqlConnection(connectionString));
        await ExecuteAsync($"DROP DATABASE IF EXISTS {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");
    }

    /// <summary>A backup of a database as an operator makes one.</summary>
    public Task DumpAsync(string connectionString, string file) =>
        RunAsync(Programs + "/pg_dump", ["--format=custom", "--file", file, "--dbname", Address(new NpgsqlConnectionStringBuilder(connectionString).Database!)]);

    /// <summary>Restores a backup into an empty database, whose server need not have known the hub before.</summary>
    /// <returns>Connection string of the administrator.</returns>
    public async Task<string> RestoreAsync(string file)
    {
        // Roles belong to the server, so no backup of a database has them.
        foreach (var role in new[] { "datahub_silo", "datahub_analyst", "datahub_analyst_internal" }) await ExecuteAsync($"CREATE ROLE {role} NOLOGIN");
        var empty = await CreateEmptyDatabaseAsync();
        await RunAsync(Programs + "/pg_restore", ["--exit-on-error", "--dbname", Address(new NpgsqlConnectionStringBuilder(empty).Database!), file]);
        return empty;
    }

    /// <summary>SIGKILL to the server itself; its other processes end because of it.</summary>
    public async Task KillAsync()
    {
        await _shell!.StandardInput.WriteLineAsync("keep");
        await RunAsync("kill", ["-KILL", _pid.ToString(CultureInfo.InvariantCulture)]);
        await _shell.WaitForExitAsync();
        _shell.Dispose();
        _shell = null;
    }

    /// <summary>Starts it again on the same folder and port, and waits until it has recovered.</summary>
    public Task RestartAsync() => LaunchAsync();

    public async ValueTask DisposeAsync()
    {
        if (_shell is not null)
        {
            _shell.StandardInput.Close();
            await _shell.WaitForExitAsync();
            _shell.Dispose();
            _shell = null;
        }
        else
        {
            await RunAsync("rm", ["-rf", _folder, _folder + ".log"]);
        }

        _making.Dispose();
    }

    private string Address(string database) => $"postgresql://postgres:{Password}@127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}/{database}";

    private static bool IsRoot => Environment.UserName == "root";

    private static string? Programs { get; } = FindPrograms();

    private static string? RunAs => !IsRoot || !File.Exists("/usr/bin/setpriv") ? null
        : File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).FirstOrDefault(user => user is "postgres") ?? "nobody";

    private static string? FindPrograms()
    {
        if (Environment.GetEnvironmentVariable("POSTGRES_BIN") is { Length: > 0 } named) return File.Exists(named + "/initdb") ? named : null;
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0).Select(folder => folder + "/bin")
            : [];
        return installed.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));
    }

    private async Task<string> CreateFromAsync(string template)
    {
        var name = $"hub{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template}");
        return AdminConnectionString(name);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString() + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task LaunchAsync()
    {
        var start = Start("sh", ["-c", Script, Programs!, _folder, Port.ToString(CultureInfo.InvariantCulture), .. _settings.SelectMany(setting => new[] { "-c", setting })], asServer: true);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _shell = Process.Start(start)!;
        _pid = int.Parse((await _shell.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                await ExecuteAsync("SELECT 1");
                return;
            }
            catch (NpgsqlException) when (waited.Elapsed < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(50);
            }
            catch (NpgsqlException e)
            {
                throw new InvalidOperationException($"PostgreSQL did not start: {await File.ReadAllTextAsync(_folder + ".log")}", e);
            }
        }
    }

    private static async Task RunAsync(string program, string[] arguments, bool asServer = false)
    {
        var start = Start(program, arguments, asServer);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await output} {await errors}");
    }

    private static ProcessStartInfo Start(string program, string[] arguments, bool asServer)
    {
        var start = asServer && RunAs is { } user
            ? new ProcessStartInfo("/usr/bin/setpriv", [$"--reuid={user}", $"--regid={user}", "--clear-groups", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.WorkingDirectory = Path.GetTempPath();
        return start;
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
