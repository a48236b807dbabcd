using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace DataHub.Catalog;

/// <summary>
/// What the issuer says of itself: its name, its addresses, its keys. Asked for at the start, again when a
/// token names an unknown key, and once an hour; an issuer that is down changes nothing about what is known.
/// </summary>
internal sealed partial class IssuerKeys : IConfigurationManager<OpenIdConnectConfiguration>, IHostedService, IDisposable
{
    /// <summary>How long a request waits for the issuer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_life = TimeSpan.FromHours(1), s_firstRetry = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SignIn _signIn;
    private readonly TimeProvider _time;
    private readonly ILogger<IssuerKeys> _logger;
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = s_patience, PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
    {
        Timeout = TimeSpan.FromSeconds(5),
        MaxResponseContentBufferSize = 1_048_576,
    };

    private volatile Known? _known;
    private Task _asking = Task.CompletedTask;
    private long? _asked;

    public IssuerKeys(SignIn signIn, TimeProvider time, ILogger<IssuerKeys> logger) => (_signIn, _time, _logger) = (signIn, time, logger);

    /// <summary>What is known; asked for where nothing is. Null where the issuer has never answered.</summary>
    public async ValueTask<OpenIdConnectConfiguration?> GetAsync(CancellationToken cancellationToken)
    {
        if (_known is { } known)
        {
            if (_time.GetElapsedTime(known.At) >= s_life) _ = AskAsync(_signIn.Settings.KeysRefresh);
            return known.Configuration;
        }

        await WaitAsync(AskAsync(s_firstRetry), cancellationToken);
        return _known?.Configuration;
    }

    /// <summary>What is known after the issuer was asked again, if that may be.</summary>
    public async ValueTask<OpenIdConnectConfiguration?> GetNewerAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(AskAsync(_signIn.Settings.KeysRefresh), cancellationToken);
        return _known?.Configuration;
    }

    async Task<OpenIdConnectConfiguration> IConfigurationManager<OpenIdConnectConfiguration>.GetConfigurationAsync(CancellationToken cancel) =>
        await GetAsync(cancel) ?? throw new IssuerUnavailableException();

    void IConfigurationManager<OpenIdConnectConfiguration>.RequestRefresh() => _ = AskAsync(_signIn.Settings.KeysRefresh);

    /// <summary>The first request need not wait; nor does the start.</summary>
    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        if (_signIn.IsOn) _ = AskAsync(s_firstRetry);
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _http.Dispose();

    private static async Task WaitAsync(Task asking, CancellationToken cancellationToken)
    {
        try
        {
            await asking.WaitAsync(s_patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The answer is taken when it comes; this request goes on with what is known.
        }
    }

    /// <summary>One question at a time, and none before so much time has passed since the last.</summary>
    private Task AskAsync(TimeSpan apart)
    {
        lock (_gate)
        {
            if (!_asking.IsCompleted || (_asked is { } last && _time.GetElapsedTime(last) < apart)) return _asking;
            _asked = _time.GetTimestamp();
            return _asking = Task.Run(ReadAsync);
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var retriever = new HttpDocumentRetriever(_http) { RequireHttps = _signIn.Settings.RequireHttps };
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(_signIn.MetadataAddress, retriever, CancellationToken.None);
            if (string.IsNullOrEmpty(configuration.Issuer) || configuration.SigningKeys.Count == 0) throw new InvalidDataException("the issuer tells no name or no keys");
            _known = new(configuration, _time.GetTimestamp());
            LogKeys(_signIn.Settings.Name, configuration.SigningKeys.Count);
        }
        catch (Exception e)
        {
            // What is known goes on counting; the next who needs more asks again.
            LogNoKeys(_signIn.Settings.Name, _signIn.MetadataAddress, (e.InnerException ?? e).Message);
        }
    }

    [LoggerMessage(1231, LogLevel.Information, "The issuer {Issuer} told {Keys} keys")]
    private partial void LogKeys(string issuer, int keys);

    [LoggerMessage(1232, LogLevel.Warning, "The issuer {Issuer} does not tell its keys at {Address}: {Fault}")]
    private partial void LogNoKeys(string issuer, string address, string fault);

    private sealed record Known(OpenIdConnectConfiguration Configuration, long At);
}

/// <summary>The issuer has never answered.</summary>
internal sealed class IssuerUnavailableException() : Exception("the issuer does not answer");
