namespace DataHub.Hosting;

/// <summary>How a hub is to be started: what the command line said, and what tests replace.</summary>
internal sealed class HubStart
{
    /// <summary>Addresses to listen on, separated by semicolons; port 0 lets the system choose.</summary>
    public string Urls { get; init; } = ListenAddresses.Default;

    /// <summary>Folder of the hub's files, relative to the caller's directory; null: as configured.</summary>
    public string? Data { get; init; }

    /// <summary>Whether demo agencies push an invented city.</summary>
    public bool Demo { get; init; }

    /// <summary>How many times the demo's usual load; 0.01 to 1,000.</summary>
    public double DemoRate { get; init; } = 1;

    /// <summary>Settings that go before those of the environment, such as <c>DataHub:Log:Shards</c>.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    /// <summary>The hub's clock; not that of the silo's own machinery.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Called last, so that a test can put its own in place of any service.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>Whether the console tells people where the hub is.</summary>
    public TextWriter Console { get; init; } = TextWriter.Null;
}
