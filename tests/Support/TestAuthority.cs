using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

using DataHub.Hosting;

namespace DataHub.Support;

/// <summary>A certificate authority of a test.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _root;

    public TestAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }

    public string Pem => _root.ExportCertificatePem();

    /// <summary>A certificate with its key.</summary>
    /// <param name="purposes">Extended key usages; both of TLS where none is named.</param>
    public X509Certificate2 Issue(string dnsName, DateTimeOffset? until = null, params string[] purposes)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={dnsName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var usages = new OidCollection();
        foreach (var purpose in purposes.Length > 0 ? purposes : [TlsCertificates.Server, TlsCertificates.Client]) usages.Add(new Oid(purpose));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(dnsName);
        request.CertificateExtensions.Add(names.Build());
        var end = until ?? DateTimeOffset.UtcNow.AddDays(7);
        using var certificate = request.Create(_root, end.AddDays(-8), end, RandomNumberGenerator.GetBytes(12));
        return certificate.CopyWithPrivateKey(key);
    }

    public void Dispose() => _root.Dispose();
}

/// <summary>
/// A mounted secret: <c>tls.crt</c>, <c>tls.key</c> and <c>ca.crt</c> are links into a folder that is itself a link, and a
/// replacement turns that one link, as a kubelet does.
/// </summary>
internal sealed class MountedSecret : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _versions;

    public MountedSecret(TestAuthority authority, X509Certificate2 certificate)
    {
        Replace(authority, certificate);
        foreach (var file in new[] { "tls.crt", "tls.key", "ca.crt" }) File.CreateSymbolicLink(Path.Combine(_folder.FullName, file), Path.Combine("..data", file));
    }

    /// <summary>What a program needs to use it.</summary>
    public Dictionary<string, string> Settings => new()
    {
        ["DATAHUB__TLS__CERTIFICATEFILE"] = Path.Combine(_folder.FullName, "tls.crt"),
        ["DATAHUB__TLS__KEYFILE"] = Path.Combine(_folder.FullName, "tls.key"),
        ["DATAHUB__TLS__CAFILE"] = Path.Combine(_folder.FullName, "ca.crt"),
    };

    public void Replace(TestAuthority authority, X509Certificate2 certificate, X509Certificate2? keyOf = null)
    {
        var version = $"..version-{_versions++}";
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, version)).FullName;
        File.WriteAllText(Path.Combine(folder, "tls.crt"), certificate.ExportCertificatePem());
        using var key = (keyOf ?? certificate).GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "ca.crt"), authority.Pem);
        var next = Path.Combine(_folder.FullName, "..next");
        Directory.CreateSymbolicLink(next, version);
        // Over the old link, in one step.
        using var move = Process.Start("mv", ["-T", next, Path.Combine(_folder.FullName, "..data")]);
        move.WaitForExit();
        if (move.ExitCode != 0) throw new InvalidOperationException("the link could not be turned");
    }

    public void Dispose() => _folder.Dispose();
}
