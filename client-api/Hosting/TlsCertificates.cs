using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

using DataHub.Catalog;

namespace DataHub.Hosting;

/// <summary>What a program shows and whom it trusts, as the files say at this moment.</summary>
internal sealed record TlsIdentity(SslStreamCertificateContext Own, X509Certificate2Collection Authorities)
{
    /// <summary>Trust in these authorities only, and in certificates made for the purpose.</summary>
    /// <param name="purpose">Extended key usage, such as <see cref="TlsCertificates.Server"/>.</param>
    public X509ChainPolicy Policy(string purpose)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(Authorities);
        policy.ApplicationPolicy.Add(new(purpose));
        return policy;
    }
}

/// <summary>
/// The certificate, its key and the authority, read anew whenever their files have changed: by being replaced, or by a link
/// that leads elsewhere. What cannot be used, such as a certificate whose key is not there yet, leaves the last in use.
/// </summary>
internal sealed class TlsCertificates
{
    /// <summary>Extended key usages (RFC 5280, 4.2.1.12): to be connected to, to connect.</summary>
    public const string Server = "1.3.6.1.5.5.7.3.1", Client = "1.3.6.1.5.5.7.3.2";

    private readonly Lock _gate = new();
    private readonly TlsSettings _settings;
    private readonly string[] _purposes;
    private readonly TimeProvider _time;
    private byte[][] _tried;
    private TlsIdentity _current;

    private TlsCertificates(TlsSettings settings, string[] purposes, TimeProvider time)
    {
        (_settings, _purposes, _time) = (settings, purposes, time);
        _tried = ReadFiles();
        _current = Load(_tried);
    }

    /// <summary>DNS name of silos' certificates; empty where any will do.</summary>
    public string SiloName => _settings.SiloName;

    /// <summary>Time until the certificate expires that new connections use.</summary>
    public TimeSpan Remaining => Current.Own.TargetCertificate.NotAfter.ToUniversalTime() - _time.GetUtcNow().UtcDateTime;

    /// <summary>Why the files' content is not in use; null where it is.</summary>
    public LocalText? Fault { get; private set; }

    /// <summary>What new connections use.</summary>
    public TlsIdentity Current
    {
        get
        {
            lock (_gate)
            {
                try
                {
                    var files = ReadFiles();
                    if (files.Zip(_tried).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second))) return _current;
                    _tried = files;
                    _current = Load(files);
                    Fault = null;
                }
                catch (StartException e)
                {
                    Fault = e.Reason;
                }

                return _current;
            }
        }
    }

    /// <summary>The certificates that the configuration names; null where it names none.</summary>
    /// <param name="silo">A silo is connected to and connects; everybody else only connects.</param>
    /// <exception cref="StartException">They cannot be used.</exception>
    public static TlsCertificates? Open(IConfiguration configuration, bool silo, TimeProvider time)
    {
        var settings = configuration.GetSection(TlsSettings.Section).Get<TlsSettings>() ?? new();
        string[] files = [settings.CertificateFile, settings.KeyFile, settings.CaFile];
        if (files.All(file => file.Length == 0) && settings.SiloName.Length == 0) return null;
        if (files.Any(file => file.Length == 0))
        {
            throw new StartException(new(
                "Für TLS zwischen Silos und Front-Ends sind DataHub:Tls:CertificateFile, KeyFile und CaFile nötig; ohne TLS keine davon.",
                "TLS between silos and front-ends needs DataHub:Tls:CertificateFile, KeyFile and CaFile; no TLS, none of them."));
        }

        return new(settings, silo ? [Server, Client] : [Client], time);
    }

    private byte[][] ReadFiles() => [Read(_settings.CertificateFile), Read(_settings.KeyFile), Read(_settings.CaFile)];

    private static byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(new($"Die Datei {file} (DataHub:Tls) ist nicht zu lesen: {e.Message}", $"The file {file} (DataHub:Tls) cannot be read: {e.Message}"), e);
        }
    }

    private TlsIdentity Load(byte[][] files)
    {
        var (certificate, key, authority) = (Encoding.UTF8.GetString(files[0]), Encoding.UTF8.GetString(files[1]), Encoding.UTF8.GetString(files[2]));
        try
        {
            X509Certificate2Collection sent = [], authorities = [];
            sent.ImportFromPem(certificate);
            authorities.ImportFromPem(authority);
            if (authorities.Count == 0)
                throw new StartException(new($"In {_settings.CaFile} (DataHub:Tls:CaFile) steht kein Zertifikat im Format PEM.", $"There is no certificate in PEM in {_settings.CaFile} (DataHub:Tls:CaFile)."));
            using var pair = X509Certificate2.CreateFromPem(certificate, key);
            // Through PKCS #12, because TLS on Windows takes no key that lies in memory only.
            var own = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
            X509Certificate2Collection between = [.. sent.Skip(1)];
            var identity = new TlsIdentity(SslStreamCertificateContext.Create(own, between, offline: true), authorities);
            foreach (var purpose in _purposes) Check(identity, own, between, purpose);
            return identity;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new StartException(new(
                $"Das Zertifikat in {_settings.CertificateFile} und der Schlüssel in {_settings.KeyFile} (DataHub:Tls) passen nicht zusammen oder sind kein PEM: {e.Message}",
                $"The certificate in {_settings.CertificateFile} and the key in {_settings.KeyFile} (DataHub:Tls) do not belong together or are no PEM: {e.Message}"), e);
        }
    }

    /// <summary>What others would refuse is not shown to them.</summary>
    private void Check(TlsIdentity identity, X509Certificate2 own, X509Certificate2Collection between, string purpose)
    {
        using var chain = new X509Chain { ChainPolicy = identity.Policy(purpose) };
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.ExtraStore.AddRange(between);
        if (chain.Build(own)) return;
        var (use, why) = (purpose == Server ? "server auth" : "client auth", Reasons(chain));
        throw new StartException(new(
            $"Das Zertifikat in {_settings.CertificateFile} gilt nicht für „{use}“ unter der Zertifizierungsstelle in {_settings.CaFile} (DataHub:Tls), gültig von {own.NotBefore:u} bis {own.NotAfter:u}: {why}",
            $"The certificate in {_settings.CertificateFile} is not valid for “{use}” under the authority in {_settings.CaFile} (DataHub:Tls), from {own.NotBefore:u} to {own.NotAfter:u}: {why}"));
    }

    /// <summary>Why a chain does not hold.</summary>
    public static string Reasons(X509Chain chain) => string.Join(", ", chain.ChainStatus.Select(status => status.Status).Distinct());
}
