namespace DataHub.Hosting;

/// <summary>How a front-end is to be started: what the command line said, and what tests replace.</summary>
internal sealed class FrontEndStart
{
    /// <summary>Addresses to listen on, separated by semicolons; port 0 lets the system choose.</summary>
    public string Urls { get; init; } = ListenAddresses.Default;

    /// <summary>Settings that go before those of the environment, such as <c>DataHub:Cluster:Gateways</c>.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; init; } = new Dictionary<string, string?>();

    /// <summary>Called last, so that a test can put its own in place of any service.</summary>
    public Action<IServiceCollection>? Services { get; init; }
}
