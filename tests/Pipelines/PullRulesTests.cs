using System.Net;

namespace DataHub.Pipelines;

public sealed class PullRulesTests
{
    [Theory]
    [InlineData("https://daten.example/a.csv", true)]
    [InlineData("http://DATEN.example:80/a.csv", true)]
    [InlineData("https://daten.example./a.csv", true)]
    [InlineData("https://daten.example:8443/a.csv", false)]
    [InlineData("https://andere.example:8443/a.csv", true)]
    [InlineData("https://andere.example/a.csv", false)]
    [InlineData("https://boese.daten.example/a.csv", false)]
    [InlineData("https://daten.example.boese/a.csv", false)]
    [InlineData("https://10.0.0.7/a.csv", true)]
    [InlineData("https://10.0.0.8/a.csv", false)]
    [InlineData("http://[::1]:81/a.csv", true)]
    [InlineData("http://[::1]/a.csv", false)]
    public void Only_listed_hosts_are_asked(string url, bool allowed) =>
        Assert.Equal(allowed, PullRules.Refused(new(url), "daten.example; andere.example:8443; 10.0.0.7;[::1]:81") is null);

    [Fact]
    public void Without_a_list_nobody_is_asked() => Assert.Contains("niemandem", PullRules.Refused(new("https://daten.example/"), "")!.De, StringComparison.Ordinal);

    [Theory]
    [InlineData("93.184.215.14", true)]
    [InlineData("2a02:2e0:3fe:1001::1", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.255.0.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::ffff:93.184.215.14", true)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("2002:a00:1::", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("10.0.0.7", true)]
    [InlineData("::ffff:10.0.0.7", true)]
    public void A_name_leads_to_what_everybody_could_ask_or_to_what_is_listed(string address, bool allowed) =>
        Assert.Equal(allowed, PullRules.MayAsk(IPAddress.Parse(address), "daten.example;10.0.0.7:8080"));

    [Theory]
    [InlineData("hub.example.org", "https://hub.example.org/api", true)]
    [InlineData("HUB.example.org.", "https://hub.EXAMPLE.org:443/api", true)]
    [InlineData("hub.example.org:443", "https://hub.example.org/", true)]
    [InlineData("hub.example.org:8443", "https://hub.example.org:8443/", true)]
    [InlineData("hub.example.org:8443", "https://hub.example.org/", false)]
    [InlineData("hub.example.org", "https://hub.example.org:8443/", false)]
    [InlineData("hub.example.org", "http://hub.example.org/", false)]
    [InlineData("hub.example.org", "http://hub.example.org:443/", false)]
    [InlineData("hub.example.org", "https://boese.hub.example.org/", false)]
    [InlineData("hub.example.org", "https://hub.example.org.boese.example/", false)]
    [InlineData("127.0.0.1:5000", "http://127.0.0.1:5000/", true)]
    [InlineData("127.0.0.1:5000", "http://127.0.0.1:5001/", false)]
    [InlineData("10.0.0.7:5000", "http://10.0.0.7:5000/", false)]
    [InlineData("[::1]:5000", "http://[::1]:5000/", true)]
    [InlineData("m\u00fcnchen.example", "https://xn--mnchen-3ya.example/", true)]
    public void A_key_is_sent_to_its_host_only_and_encrypted_but_to_the_machine_itself(string host, string url, bool sent) =>
        Assert.Equal(sent, PullRules.Takes(PullRules.Host(host)!, new(url)));

    [Theory]
    [InlineData("")]
    [InlineData("https://a.example")]
    [InlineData("a.example/")]
    [InlineData("a.example?x")]
    [InlineData("a.example#x")]
    [InlineData("wer@a.example")]
    [InlineData("a b")]
    [InlineData("a.example:99999")]
    public void What_is_no_host_is_none(string text) => Assert.Null(PullRules.Host(text));

    [Theory]
    [InlineData("https://a.example/x.csv", true)]
    [InlineData("http://a.example", true)]
    [InlineData("ftp://a.example/x.csv", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("https://wer:kennwort@a.example/x.csv", false)]
    [InlineData("https://a.example/x.csv#teil", false)]
    [InlineData("/x.csv", false)]
    public void An_address_is_of_http_and_names_nobody(string url, bool holds) => Assert.Equal(holds, PullRules.Fault(url) is null);

    [Theory]
    [InlineData("https://a.example/daten/luft%202026.csv?stand=1", null, "luft 2026.csv")]
    [InlineData("https://a.example/", null, "datei")]
    [InlineData("https://a.example/x", "\"../../etc/b.csv\"", "....etcb.csv")]
    public void A_file_has_a_name_without_folders(string url, string? said, string name) => Assert.Equal(name, PullRules.Name(new(url), said));

    [Fact]
    public void What_may_be_secret_in_an_address_is_not_told() => Assert.Equal("https://a.example/x.csv", PullRules.Told(new("https://a.example/x.csv?token=geheim")));

    [Fact]
    public void Of_the_files_that_a_step_fetched_the_newest_hundred_stay()
    {
        // As a state from before files were counted.
        var state = new FilePullState(Of(0));
        var old = new List<string>();
        for (var i = 1; i < PullRules.Files + 3; i++)
        {
            (state, var gone) = PullRules.Note(state, Of(i));
            old.AddRange(gone);
        }

        (state, var none) = PullRules.Note(state, Of(50));
        Assert.Equal(["0", "1", "2"], old);
        Assert.Equal((PullRules.Files, "3", "50", 0), (state.Files.Length, state.Files[0], state.Files[^1], none.Length));

        static LastPull Of(int file) => new("u", new(null, null), $"{file}", []);
    }

    [Theory]
    [InlineData("hub.example.org", "https://hub.example.org/a", true)]
    [InlineData("hub.example.org", "https://HUB.example.org.:443/a", true)]
    [InlineData("hub.example.org:8443", "https://hub.example.org:8443/a", true)]
    [InlineData("hub.example.org", "https://hub.example.org:8443/a", false)]
    [InlineData("hub.example.org", "https://x.hub.example.org/a", false)]
    [InlineData("hub.example.org", "http://hub.example.org/a", false)]
    [InlineData("hub.example.org:80", "http://hub.example.org/a", false)]
    [InlineData("127.0.0.1", "http://127.0.0.1/a", false)]
    [InlineData("127.0.0.1:80", "http://127.0.0.1/a", true)]
    [InlineData("127.0.0.1:8080", "http://127.0.0.1:8080/a", true)]
    public void A_key_goes_to_its_host_and_port_only_and_unencrypted_to_the_machine_itself_only(string host, string url, bool goes) =>
        Assert.Equal(goes, PullRules.Takes(PullRules.Host(host)!, new(url)));

    [Theory]
    [InlineData("dh_abc", true)]
    [InlineData("dh_abc\n", false)]
    [InlineData("dh abc", false)]
    [InlineData("", false)]
    public void A_key_is_one_token_without_an_end_of_line(string key, bool isOne) => Assert.Equal(isOne, PullRules.KeyFault("hub.example.org", key) is null);

    [Fact]
    public void Whatever_prints_a_call_does_not_tell_the_key() => Assert.DoesNotContain("dh_abc", new PullSecret("dh_abc").ToString(), StringComparison.Ordinal);
}
