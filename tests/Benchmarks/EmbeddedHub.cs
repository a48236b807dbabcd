namespace DataHub.Benchmarks;

/// <summary>An embedded hub as a process of its own, with a folder that outlives its restarts and ends with this object.</summary>
internal sealed class EmbeddedHub : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("datahub-benchmark-").FullName;
    private Child? _process;

    public Uri Address { get; } = Child.FreeAddress();

    /// <summary>Where its databases lie.</summary>
    public string Data => Path.Combine(_folder, "hub");

    /// <summary>Variables for its settings; count from the next start.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public Child Process => _process ?? throw new InvalidOperationException("the hub has not been started");

    public string AdminKey => File.ReadAllText(Path.Combine(Data, "admin.key")).Trim();

    /// <summary>Starts it, and returns once it is ready.</summary>
    public async Task StartAsync() => _process = await Child.StartAsync(
        Path.Combine(AppContext.BaseDirectory, "DataHub.Silo.dll"), Address, async http => (await http.GetAsync("/health/ready")).IsSuccessStatusCode,
        Environment, "--urls", Address.ToString(), "--data", Data);

    /// <summary>Lets it end in its own order.</summary>
    public async Task StopAsync()
    {
        await Process.StopAsync();
        Kill();
    }

    /// <summary>Ends it as a power cut would; where it has ended already, nothing happens.</summary>
    public void Kill()
    {
        _process?.Dispose();
        _process = null;
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
