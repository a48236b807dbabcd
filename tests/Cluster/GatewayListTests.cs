using System.Net;

using DataHub.Hosting;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

using Orleans.Runtime;

namespace DataHub.Cluster;

/// <summary>Where a front-end looks for silos.</summary>
public sealed class GatewayListTests
{
    [Theory]
    [InlineData("127.0.0.1:30000", "127.0.0.1:30000")]
    [InlineData(" silo-0:1 ; silo-1:65535;", "silo-0:1 silo-1:65535")]
    [InlineData("[::1]:30000", "[::1]:30000")]
    public void Gateways_are_names_or_addresses_with_a_port(string text, string read) =>
        Assert.Equal(read, string.Join(' ', GatewayAddress.ParseAll(text)));

    [Theory]
    [InlineData("")]
    [InlineData("silo")]
    [InlineData("silo:0")]
    [InlineData("silo:70000")]
    [InlineData("http://silo:30000")]
    [InlineData("silo:30000;:1")]
    [InlineData("::1:30000")]
    public void Anything_else_is_refused_with_what_is_allowed(string text)
    {
        var refused = Assert.Throws<StartException>(() => GatewayAddress.ParseAll(text));
        Assert.Contains("DataHub:Cluster:Gateways", refused.Reason.De, StringComparison.Ordinal);
        Assert.Contains("host:port", refused.Reason.De, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_stands_for_all_its_addresses_and_an_unknown_one_for_none()
    {
        var addresses = (await Dns.GetHostAddressesAsync("localhost")).Distinct().ToArray();
        var gateways = await List("localhost:30000;127.0.0.2:30001;name.invalid:30000").GetGateways();
        Assert.Equal(
            [.. addresses.Select(address => new IPEndPoint(address, 30_000).ToString()).Append("127.0.0.2:30001").Order(StringComparer.Ordinal)],
            gateways.Select(uri => uri.ToGatewayAddress()!.Endpoint.ToString()).Order(StringComparer.Ordinal));
    }

    private static GatewayList List(string gateways) => new(
        Options.Create(new FrontEndClusterOptions { Gateways = gateways }), new ServiceCollection().BuildServiceProvider(), new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), TimeProvider.System, NullLogger<GatewayList>.Instance);
}
