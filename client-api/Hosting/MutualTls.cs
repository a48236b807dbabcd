using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

using Microsoft.AspNetCore.Connections;

using Orleans.Configuration;

namespace DataHub.Hosting;

/// <summary>
/// Puts TLS 1.3 or 1.2 below Orleans' connections. Both sides show a certificate of the configured authority, or the
/// connection ends before Orleans has seen one byte of it. The side that was connected to says with one byte that it has
/// accepted; with TLS 1.3 the other would otherwise take itself for connected and only lose its first call.
/// </summary>
internal sealed partial class MutualTls
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10), s_silence = TimeSpan.FromSeconds(5);
    private static readonly byte[] s_welcome = [1];

    private readonly Lock _gate = new();
    private readonly TlsCertificates _certificates;
    private readonly ILogger _logger;
    private string? _toldFault;
    private (string Text, long At) _told = ("", 0);

    public MutualTls(TlsCertificates certificates, ILogger<MutualTls> logger, IMeterFactory meters)
    {
        (_certificates, _logger) = (certificates, logger);
        meters.Create("DataHub").CreateObservableGauge("datahub.tls.remaining", () => certificates.Remaining.TotalSeconds, "s", "Time until the certificate in use expires.");
    }

    /// <summary>On connections that come in.</summary>
    /// <param name="fromSilos">Only silos may connect here.</param>
    public Task AcceptAsync(ConnectionContext context, ConnectionDelegate next, bool fromSilos) => RunAsync(context, next, fromSilos, async (stream, identity, isAllowed, patience) =>
    {
        await stream.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = identity.Own,
                ClientCertificateRequired = true,
                CertificateChainPolicy = identity.Policy(TlsCertificates.Client),
                RemoteCertificateValidationCallback = isAllowed,
                EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12,
                // Every connection is checked against what the files hold now, not against what an earlier one was shown.
                AllowTlsResume = false,
                AllowRenegotiation = false,
            },
            patience);
        await stream.WriteAsync(s_welcome, patience);
        await stream.FlushAsync(patience);
    });

    /// <summary>On connections to silos.</summary>
    public Task ConnectAsync(ConnectionContext context, ConnectionDelegate next) => RunAsync(context, next, true, async (stream, identity, isAllowed, patience) =>
    {
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                // Silos are found by addresses that no certificate can know; which name theirs must have, the callback sees to.
                TargetHost = _certificates.SiloName,
                ClientCertificateContext = identity.Own,
                CertificateChainPolicy = identity.Policy(TlsCertificates.Server),
                RemoteCertificateValidationCallback = isAllowed,
                EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12,
                AllowTlsResume = false,
                AllowRenegotiation = false,
            },
            patience);
        if (await stream.ReadAsync(new byte[1], patience) == 0) throw new AuthenticationException("the other side has refused this program's certificate");
    });

    private async Task RunAsync(
        ConnectionContext context, ConnectionDelegate next, bool withSilo, Func<SslStream, TlsIdentity, RemoteCertificateValidationCallback, CancellationToken, Task> shakeHandsAsync)
    {
        var plain = context.Transport;
        await using var stream = new SslStream(new DuplexStream(plain), leaveInnerStreamOpen: true);
        string? refused = null;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.ConnectionClosed);
            patience.CancelAfter(s_patience);
            var identity = _certificates.Current;
            TellFault();
            await shakeHandsAsync(stream, identity, (_, shown, chain, errors) => (refused = Refusal(shown, chain, errors, withSilo)) is null, patience.Token);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException)
        {
            var why = refused ?? (e is not OperationCanceledException ? (e.InnerException ?? e).Message : context.ConnectionClosed.IsCancellationRequested ? "it ended before the handshake did" : "no handshake in time");
            Tell(context.RemoteEndPoint, why);
            context.Abort(new ConnectionAbortedException(why));
            throw new ConnectionAbortedException(why, e);
        }

        var input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 32 << 10, leaveOpen: true));
        var output = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        context.Transport = new Pipes(input, output);
        try
        {
            await next(context);
        }
        finally
        {
            // Whatever was not sent by now has nobody who waits for it.
            await input.CompleteAsync();
            await output.CompleteAsync(new ConnectionAbortedException());
            context.Transport = plain;
        }
    }

    /// <summary>Why a certificate is not accepted; null where it is.</summary>
    private string? Refusal(X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors, bool withSilo)
    {
        if (shown is not X509Certificate2 certificate) return "it shows no certificate";
        if ((errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) != 0) return $"its certificate ({certificate.Subject}) is not valid here: {(chain is null ? errors.ToString() : TlsCertificates.Reasons(chain))}";
        var named = !withSilo || _certificates.SiloName.Length == 0 || certificate.MatchesHostname(_certificates.SiloName, allowWildcards: false, allowCommonName: false);
        return named ? null : $"its certificate ({certificate.Subject}) is not a silo's ({_certificates.SiloName})";
    }

    /// <summary>The same over and over, as of somebody who goes on trying, is told once in a while.</summary>
    private void Tell(EndPoint? other, string why)
    {
        var text = $"{(other as IPEndPoint)?.Address} {why}";
        lock (_gate)
        {
            if (text == _told.Text && Stopwatch.GetElapsedTime(_told.At) < s_silence) return;
            _told = (text, Stopwatch.GetTimestamp());
        }

        LogRefused(other, why);
    }

    private void TellFault()
    {
        var fault = _certificates.Fault?.En;
        if (Interlocked.Exchange(ref _toldFault, fault) != fault && fault is not null) LogFault(fault);
    }

    [LoggerMessage(1181, LogLevel.Warning, "No TLS connection with {Other}: {Reason}")]
    private partial void LogRefused(EndPoint? other, string reason);

    [LoggerMessage(1182, LogLevel.Error, "The new certificate files are not used, the last ones stay: {Fault}")]
    private partial void LogFault(string fault);

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>Certificates on the way to silos.</summary>
internal static class MutualTlsExtensions
{
    /// <summary>Lets a client show and ask for certificates; null: no TLS.</summary>
    public static void AddMutualTls(this IClientBuilder client, TlsCertificates? certificates)
    {
        if (certificates is null) return;
        client.Services.AddMutualTls(certificates);
        client.Configure<ClientConnectionOptions>(options => options.ConfigureConnection(connection => connection.UseTls((tls, context, next) => tls.ConnectAsync(context, next))));
    }

    public static void AddMutualTls(this IServiceCollection services, TlsCertificates certificates)
    {
        services.AddSingleton(certificates);
        services.AddSingleton<MutualTls>();
    }

    public static void UseTls(this IConnectionBuilder connection, Func<MutualTls, ConnectionContext, ConnectionDelegate, Task> runAsync)
    {
        var tls = connection.ApplicationServices.GetRequiredService<MutualTls>();
        connection.Use(next => context => runAsync(tls, context, next));
    }
}
