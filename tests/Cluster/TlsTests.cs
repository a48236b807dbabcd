using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

using DataHub.Hosting;
using DataHub.Support;

using Microsoft.Extensions.Configuration;

using Xunit.Abstractions;

using ClusterMember = DataHub.Support.ClusterMember;

namespace DataHub.Cluster;

/// <summary>TLS with certificates on both sides: who has one of the authority is let in, who has not is not, and says why.</summary>
public sealed class TlsTests(ITestOutputHelper output) : IDisposable
{
    private const string SiloName = "silo.datahub.test";

    private readonly TestAuthority _authority = new("DataHub"), _other = new("Somebody else");
    private readonly List<MountedSecret> _secrets = [];

    [PostgresFact]
    public async Task A_cluster_with_certificates_works_and_lets_in_nobody_without_a_valid_one()
    {
        await using var cluster = await StartAsync();
        var key = await cluster.DescribeAsync("luft", "laerm");
        await PushAndReadAsync(cluster, key, 0, 10);
        // An operator's command is a program with a certificate too.
        var (exit, _, errors) = await HubProcess.RunAsync(Secret(_authority, SiloName, new() { ["DATAHUB__POSTGRES__CONNECTIONSTRING"] = cluster.ConnectionString }), "admin-key");
        Assert.True(exit == 0, errors);

        var silo = Port(cluster.Silos[0], "SILOPORT");
        var gateway = Port(cluster.Silos[0], "GATEWAYPORT");
        using (var allowed = _authority.Issue(SiloName)) Assert.Equal((true, true), (await IsWelcomeAsync(silo, allowed), await IsWelcomeAsync(gateway, allowed)));
        using (var frontEnd = _authority.Issue("front-end.datahub.test")) Assert.Equal((false, true), (await IsWelcomeAsync(silo, frontEnd), await IsWelcomeAsync(gateway, frontEnd)));
        Assert.Equal((false, false), (await IsWelcomeAsync(silo, null), await IsWelcomeAsync(gateway, null)));
        using (var strange = _other.Issue(SiloName)) Assert.Equal((false, false), (await IsWelcomeAsync(silo, strange), await IsWelcomeAsync(gateway, strange)));
        using (var expired = _authority.Issue(SiloName, DateTimeOffset.UtcNow.AddMinutes(-1))) Assert.Equal((false, false), (await IsWelcomeAsync(silo, expired), await IsWelcomeAsync(gateway, expired)));
        using (var onlyServer = _authority.Issue(SiloName, null, TlsCertificates.Server)) Assert.Equal((false, false), (await IsWelcomeAsync(silo, onlyServer), await IsWelcomeAsync(gateway, onlyServer)));
        using (var old = _authority.Issue(SiloName))
        {
#pragma warning disable SYSLIB0039, CA5397 // Protocols that nobody should speak any more, to see that nobody does.
            Assert.False(await IsWelcomeAsync(gateway, old, SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
        }

        Assert.Equal((0, 0), (await PlainAnswerAsync(silo), await PlainAnswerAsync(gateway)));

        var said = cluster.Silos[0].Said;
        foreach (var reason in new[] { "it shows no certificate", "NotTimeValid", "NotValidForUsage", $"is not a silo's ({SiloName})" }) Assert.Contains(reason, said, StringComparison.Ordinal);
        Assert.True(said.Contains("UntrustedRoot", StringComparison.Ordinal) || said.Contains("PartialChain", StringComparison.Ordinal), said);
        await PushAndReadAsync(cluster, key, 10, 12);
    }

    [PostgresFact]
    public async Task Silos_and_front_ends_with_a_certificate_of_somebody_else_or_none_stay_outside_and_say_why()
    {
        await using var cluster = await StartAsync(silos: 4, frontEnds: 3, start: 2);
        var key = await cluster.DescribeAsync("luft", "laerm");
        var (strange, plain) = (cluster.Silos[2], cluster.Silos[3]);
        Set(strange, Secret(_other, SiloName, new() { ["DATAHUB__TLS__SILONAME"] = SiloName }));
        foreach (var setting in plain.Environment.Keys.Where(name => name.Contains("__TLS__", StringComparison.Ordinal)).ToArray()) plain.Environment.Remove(setting);
        var (strangeFront, plainFront) = (cluster.FrontEnds[1], cluster.FrontEnds[2]);
        Set(strangeFront, Secret(_other, "front-end.datahub.test"));
        foreach (var setting in plainFront.Environment.Keys.Where(name => name.Contains("__TLS__", StringComparison.Ordinal)).ToArray()) plainFront.Environment.Remove(setting);
        ClusterMember[] outside = [strange, plain, strangeFront, plainFront];
        foreach (var member in outside) member.Start();

        await SaysAsync(strange, "No TLS connection with 127.0.0.1");
        await SaysAsync(strangeFront, "No TLS connection with 127.0.0.1");
        await SaysAsync(plainFront, "No silo answers");
        await SaysAsync(plain, "Orleans.Runtime.Messaging.ConnectionManager");
        await SaysAsync(cluster.Silos[0], "corrupted frame");
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        for (var looks = 0; looks < 10; looks++)
        {
            foreach (var member in outside) Assert.NotEqual(200, await member.StatusAsync(client, "health/ready"));
            await Task.Delay(1_000);
        }

        foreach (var member in outside) output.WriteLine($"== {member.Name}\n{string.Join('\n', member.Said.Split('\n').Where(line => line.Contains("warn:", StringComparison.Ordinal) || line.Contains("fail:", StringComparison.Ordinal)).Take(8))}");
        await PushAndReadAsync(cluster, key, 0, 5);
    }

    [PostgresFact]
    public async Task A_replaced_certificate_is_shown_on_new_connections_without_a_restart()
    {
        using var first = _authority.Issue(SiloName);
        var secret = new MountedSecret(_authority, first);
        _secrets.Add(secret);
        await using var cluster = await StartAsync(secret.Settings);
        var key = await cluster.DescribeAsync("luft", "laerm");
        var ports = new[] { Port(cluster.Silos[0], "SILOPORT"), Port(cluster.Silos[0], "GATEWAYPORT") };
        foreach (var port in ports) Assert.Equal(first.SerialNumber, await ShownAsync(port));

        using var second = _authority.Issue(SiloName);
        secret.Replace(_authority, second);
        foreach (var port in ports) Assert.Equal(second.SerialNumber, await ShownAsync(port));

        // A certificate whose key is not there yet, and one that would be refused, are not shown.
        using var third = _authority.Issue(SiloName);
        secret.Replace(_authority, third, keyOf: second);
        foreach (var port in ports) Assert.Equal(second.SerialNumber, await ShownAsync(port));
        await SaysAsync(cluster.Silos[0], "do not belong together");
        using var expired = _authority.Issue(SiloName, DateTimeOffset.UtcNow.AddMinutes(-1));
        secret.Replace(_authority, expired);
        foreach (var port in ports) Assert.Equal(second.SerialNumber, await ShownAsync(port));
        await SaysAsync(cluster.Silos[0], "NotTimeValid");
        secret.Replace(_authority, third);
        foreach (var port in ports) Assert.Equal(third.SerialNumber, await ShownAsync(port));
        using (var operations = new HttpClient())
        {
            var remaining = (await operations.GetStringAsync(new Uri(cluster.Silos[0].Address, "metrics"))).Split('\n').Single(line => line.StartsWith("datahub_tls_remaining_seconds", StringComparison.Ordinal));
            Assert.InRange(double.Parse(remaining.Split(' ')[^1], CultureInfo.InvariantCulture), TimeSpan.FromDays(6).TotalSeconds, TimeSpan.FromDays(7).TotalSeconds);
        }

        // What is connected stays so, and what connects anew does it with what the files hold now.
        await PushAndReadAsync(cluster, key, 0, 5);
        Assert.Equal(0, await cluster.Silos[1].StopAsync());
        cluster.Silos[1].Start();
        await cluster.Silos[1].ReadyAsync();
        await PushAndReadAsync(cluster, key, 5, 10);
    }

    [Fact]
    public void A_start_ends_with_what_is_wrong_with_the_certificate()
    {
        Assert.Null(TlsCertificates.Open(new ConfigurationBuilder().Build(), silo: true, TimeProvider.System));
        using var valid = _authority.Issue(SiloName);
        using var expired = _authority.Issue(SiloName, DateTimeOffset.UtcNow.AddMinutes(-1));
        using var onlyClient = _authority.Issue(SiloName, null, TlsCertificates.Client);
        using var strange = _other.Issue(SiloName);
        Assert.Contains("NotTimeValid", Fault(expired, silo: true), StringComparison.Ordinal);
        Assert.Contains("server auth", Fault(onlyClient, silo: true), StringComparison.Ordinal);
        Assert.Contains("not valid for", Fault(strange, silo: false), StringComparison.Ordinal);
        Assert.Contains("do not belong together", Fault(valid, silo: false, keyOf: expired), StringComparison.Ordinal);
        Assert.Equal("", Fault(valid, silo: true));
        Assert.Equal("", Fault(onlyClient, silo: false));

        var incomplete = Assert.Throws<StartException>(() => Open(new() { ["DATAHUB__TLS__CERTIFICATEFILE"] = "/nowhere" }, silo: true));
        Assert.Contains("CaFile", incomplete.Message, StringComparison.Ordinal);
        var missing = Assert.Throws<StartException>(() => Open(new() { ["DATAHUB__TLS__CERTIFICATEFILE"] = "/nowhere", ["DATAHUB__TLS__KEYFILE"] = "/nowhere", ["DATAHUB__TLS__CAFILE"] = "/nowhere" }, silo: true));
        Assert.Contains("/nowhere", missing.Message, StringComparison.Ordinal);

        string Fault(X509Certificate2 certificate, bool silo, X509Certificate2? keyOf = null)
        {
            using var secret = new MountedSecret(_authority, certificate);
            if (keyOf is not null) secret.Replace(_authority, certificate, keyOf);
            try
            {
                Assert.NotNull(Open(secret.Settings, silo));
                return "";
            }
            catch (StartException e)
            {
                return e.Message;
            }
        }
    }

    public void Dispose()
    {
        foreach (var secret in _secrets) secret.Dispose();
        _authority.Dispose();
        _other.Dispose();
    }

    private static TlsCertificates? Open(Dictionary<string, string> settings, bool silo) => TlsCertificates.Open(
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => s.Key.Replace("__", ":", StringComparison.Ordinal), s => (string?)s.Value)).Build(), silo, TimeProvider.System);

    /// <summary>Two silos and a front-end, each with a certificate of its own, and others prepared.</summary>
    private async Task<ClusterProcesses> StartAsync(IReadOnlyDictionary<string, string>? ofFirst = null, int silos = 2, int frontEnds = 1, int start = 2)
    {
        var cluster = await ClusterProcesses.CreateAsync(silos, frontEnds);
        foreach (var silo in cluster.Silos) Set(silo, Secret(_authority, SiloName, new() { ["DATAHUB__TLS__SILONAME"] = SiloName }));
        foreach (var frontEnd in cluster.FrontEnds) Set(frontEnd, Secret(_authority, "front-end.datahub.test", new() { ["DATAHUB__TLS__SILONAME"] = SiloName }));
        if (ofFirst is not null) Set(cluster.Silos[0], ofFirst);
        ClusterMember[] first = [.. cluster.Silos.Take(start), cluster.FrontEnds[0]];
        foreach (var member in first) member.Start();
        await Task.WhenAll(first.Select(member => member.ReadyAsync()));
        return cluster;
    }

    private Dictionary<string, string> Secret(TestAuthority authority, string name, Dictionary<string, string>? and = null)
    {
        using var certificate = authority.Issue(name);
        var secret = new MountedSecret(authority, certificate);
        _secrets.Add(secret);
        var settings = secret.Settings;
        foreach (var (key, value) in and ?? []) settings[key] = value;
        return settings;
    }

    private static void Set(ClusterMember member, IReadOnlyDictionary<string, string> settings)
    {
        foreach (var (name, value) in settings) member.Environment[name] = value;
    }

    private static int Port(ClusterMember silo, string name) => int.Parse(silo.Environment[$"DATAHUB__CLUSTER__{name}"], CultureInfo.InvariantCulture);

    private static async Task PushAndReadAsync(ClusterProcesses cluster, string key, int from, int to)
    {
        var client = cluster.Client(0, key);
        for (var second = from; second < to; second++)
        {
            foreach (var dataset in new[] { "luft", "laerm" })
            {
                var receipt = await HubFixture.OkAsync(ClusterProcesses.PushAsync(client, dataset, $"k{second}", second, 1));
                Assert.Equal((second + 1.0, second + 1), await ClusterProcesses.SumAsync(client, dataset, ClusterProcesses.Watermark(receipt)));
            }
        }
    }

    /// <summary>Whether a connection with this certificate is accepted, which the silo says with its first byte.</summary>
    private static async Task<bool> IsWelcomeAsync(int port, X509Certificate2? certificate, SslProtocols protocols = SslProtocols.None)
    {
        try
        {
            var (stream, _) = await ConnectAsync(port, certificate, protocols);
            await using (stream) return await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)) == 1;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return false;
        }
    }

    /// <summary>Serial number of the certificate that a port shows.</summary>
    private async Task<string> ShownAsync(int port)
    {
        using var certificate = _authority.Issue(SiloName);
        var (stream, serial) = await ConnectAsync(port, certificate, SslProtocols.None);
        await stream.DisposeAsync();
        return serial;
    }

    private static async Task<(SslStream Stream, string Serial)> ConnectAsync(int port, X509Certificate2? certificate, SslProtocols protocols)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        var serial = "";
        var stream = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = SiloName,
                ClientCertificates = certificate is null ? null : [certificate],
                LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
                EnabledSslProtocols = protocols,
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                {
                    serial = (shown as X509Certificate2)?.SerialNumber ?? "";
                    return serial.Length > 0;
                },
            });
            return (stream, serial);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>How many bytes somebody gets who does not speak TLS.</summary>
    private static async Task<int> PlainAnswerAsync(int port)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(new byte[64]);
        try
        {
            var (read, buffer) = (0, new byte[1024]);
            while (await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20)) is > 0 and var more)
            {
                // An alert is a record of TLS (21), not of Orleans.
                if (buffer[0] != 21) read += more;
            }

            return read;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static async Task SaysAsync(ClusterMember member, string text)
    {
        for (var waited = Stopwatch.StartNew(); !member.Said.Contains(text, StringComparison.Ordinal); await Task.Delay(100))
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"{member.Name} has not said “{text}” but: {member.Said}");
    }
}
