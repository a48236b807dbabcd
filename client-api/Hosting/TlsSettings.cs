namespace DataHub.Hosting;

/// <summary>
/// TLS with certificates on both sides, between silos and from front-ends to silos. Section <c>DataHub:Tls</c>; off unless
/// files are named, without effect in an embedded hub. The files may be replaced at any time; new connections use what they hold.
/// </summary>
internal sealed class TlsSettings
{
    public const string Section = "DataHub:Tls";

    /// <summary>PEM file with this program's certificate, then those between it and the authority. Default none: no TLS.</summary>
    [Setting("PEM-Datei mit dem Zertifikat dieses Programms, danach die zwischen ihm und der Zertifizierungsstelle; leer: ohne TLS", "PEM file with this program's certificate, then those between it and the authority; empty: no TLS")]
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM file with the certificate's private key, without a password.</summary>
    [Setting("PEM-Datei mit dem privaten Schlüssel des Zertifikats, ohne Passwort", "PEM file with the certificate's private key, without a password")]
    public string KeyFile { get; set; } = "";

    /// <summary>PEM file with the authority whose certificates silos and front-ends have; no other is trusted. Several: each.</summary>
    [Setting("PEM-Datei mit der Zertifizierungsstelle (Wurzel), der allein vertraut wird; auch mehrere", "PEM file with the authority (root) that alone is trusted; several are allowed")]
    public string CaFile { get; set; } = "";

    /// <summary>DNS name that silos' certificates have and front-ends' have not, so that no front-end can be taken for a silo. Default none: every certificate of the authority will do.</summary>
    [Setting("DNS-Name, den nur die Zertifikate der Silos haben; leer: jedes der Zertifizierungsstelle gilt auch als Silo", "DNS name that only silos' certificates have; empty: any of the authority may be a silo")]
    public string SiloName { get; set; } = "";
}
