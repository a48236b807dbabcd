using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;

using DataHub.Catalog;
using DataHub.Hosting;
using DataHub.Support;

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;

using static DataHub.Support.HubFixture;

namespace DataHub.Tests.Catalog;

/// <summary>Tokens of an issuer in place of keys.</summary>
public sealed class SignInTokenTests
{
    [Fact]
    public async Task A_machine_takes_a_token_and_holds_what_its_group_holds()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings());
        await InternalDatasetAsync(hub, "verkehr");
        var machine = hub.With(await issuer.MachineTokenAsync());

        Assert.Equal("person:oidc:zaehlstellen", (await OkAsync(machine.GetAsync("api/v1/me"))).RootElement.GetProperty("subject").GetString());
        await RefusedAsync(hub.Anonymous.GetAsync("api/v1/datasets/verkehr/records"), 404);
        await RefusedAsync(machine.GetAsync("api/v1/datasets/verkehr/records"), 404);

        await hub.Grains.GetGrain<IGroupGrain>("verkehr/leser").AddMemberAsync(Caller.Hub, "oidc:zaehlstellen", "Test", null);
        await Task.Delay(KeyRing.Lease * 2);

        Assert.Contains("\"a\"", (await OkAsync(machine.GetAsync("api/v1/datasets/verkehr/records"))).RootElement.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("verkehr/leser", (await OkAsync(machine.GetAsync("api/v1/me"))).RootElement.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_come_from_the_claims_of_the_issuer()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings());
        await InternalDatasetAsync(hub, "umwelt");

        issuer.Person = ("x", "X", ["/umwelt/leser", "etwas anderes"]);
        await OkAsync(hub.With(await issuer.MachineTokenAsync()).GetAsync("api/v1/datasets/umwelt/records"));
        await OkAsync(hub.With(issuer.Token(null, ("groups", "umwelt/leser"))).GetAsync("api/v1/datasets/umwelt/records"));
        await RefusedAsync(hub.With(issuer.Token(null, ("groups", "umwelt/andere"))).GetAsync("api/v1/datasets/umwelt/records"), 404, "not-found");

        await hub.RestartAsync(issuer.Settings(("GroupsClaim", "realm_access.roles"), ("Groups", "CN=lesen,O=Stadt=umwelt/leser; schreiben=umwelt/schreiber")));
        await OkAsync(hub.With(issuer.Token(null, ("realm_access", new { roles = new[] { "CN=lesen,O=Stadt" } }))).GetAsync("api/v1/datasets/umwelt/records"));
        // With a mapping only what it names counts.
        await RefusedAsync(hub.With(issuer.Token(null, ("realm_access", new { roles = new[] { "umwelt/leser", "schreiben" } }))).GetAsync("api/v1/datasets/umwelt/records"), 404, "not-found");
    }

    [Fact]
    public async Task A_token_that_does_not_hold_is_refused_with_the_reason_in_both_languages()
    {
        var noted = new ConcurrentQueue<(string Reason, string? Who, string? Network)>();
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings(), services: services => services.AddSingleton<ISignInFailures>(new Noting(noted)));
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        using var other = RSA.Create(2_048);
        var hmac = new SigningCredentials(new SymmetricSecurityKey(Encoding.ASCII.GetBytes(issuer.Key.Rsa.ExportSubjectPublicKeyInfoPem())) { KeyId = issuer.Key.KeyId }, SecurityAlgorithms.HmacSha256);
        var good = issuer.Token();
        await OkAsync(hub.With(good).GetAsync("api/v1/agencies"));

        await IsRefusedAsync(issuer.Token(null, ("exp", now - 31)), "abgelaufen", "expired at 20", "expired", "person:oidc:anna");
        await IsRefusedAsync(issuer.Token(null, ("exp", null)), "sagt nicht, wann es abläuft", "does not say when it expires", "expired", "person:oidc:anna");
        await OkAsync(hub.With(issuer.Token(null, ("exp", now - 5))).GetAsync("api/v1/agencies"));
        await IsRefusedAsync(issuer.Token(null, ("nbf", now + 120)), "gilt erst ab", "valid from", "not-yet-valid", "person:oidc:anna");
        await IsRefusedAsync(issuer.Token(new(new RsaSecurityKey(other) { KeyId = issuer.Key.KeyId }, SecurityAlgorithms.RsaSha256)), "Unterschrift", "signature", "signature");
        await IsRefusedAsync(issuer.Token(new(new RsaSecurityKey(other) { KeyId = "fremd" }, SecurityAlgorithms.RsaSha256)), "Unterschrift", "no such key", "signature");
        await IsRefusedAsync(issuer.Token(new(new RsaSecurityKey(other), SecurityAlgorithms.RsaSha256)), "Unterschrift", "signature", "signature");
        await IsRefusedAsync(issuer.Token(null, ("aud", "anderes")), "nicht für diesen Hub", "not meant for this hub", "audience");
        await IsRefusedAsync(issuer.Token(null, ("aud", null)), "nicht für diesen Hub", "not meant for this hub", "audience");
        await IsRefusedAsync(issuer.Token(null, ("iss", "https://anderer.example/")), "anderen Aussteller", "another issuer", "issuer");
        await IsRefusedAsync(issuer.Token(hmac), "Verfahren", "algorithm", "algorithm");
        var parts = good.Split('.');
        await IsRefusedAsync(Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""") + "." + parts[1] + ".", "Verfahren", "algorithm", "algorithm");
        await IsRefusedAsync(parts[0] + "." + parts[1] + ".", "Unterschrift", "signature", "signature");
        await IsRefusedAsync(parts[0] + "." + Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("anna", "emil", StringComparison.Ordinal)) + "." + parts[2], "Unterschrift", "signature", "signature");
        await IsRefusedAsync("eyJhbGciOiJSUzI1NiJ9.nichts.nichts", "nicht lesbar", "not readable", "malformed");
        await IsRefusedAsync(issuer.Token(null, ("sub", "a\nb")), "wer es ist", "who it is", "subject");
        await IsRefusedAsync(issuer.Token(null, ("typ", "ID")), "kein Zugriffstoken", "no access token", "kind", "person:oidc:anna");
        await IsRefusedAsync("sesam.oeffne.dich", "kein Schlüssel dieses Hubs", "no key of this hub", "malformed", plain: true);
        ApiKey.Create("umwelt", out var unknown);
        await IsRefusedAsync(unknown, "kennt keinen gültigen Schlüssel", "knows no valid key", "unknown-key", plain: true);

        async Task IsRefusedAsync(string token, string de, string en, string reason, string? who = null, bool plain = false)
        {
            noted.Clear();
            foreach (var (language, words) in new[] { ("de", de), ("en", en) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/agencies");
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
                request.Headers.AcceptLanguage.Add(new StringWithQualityHeaderValue(language));
                using var answer = await hub.Anonymous.SendAsync(request);
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True((int)answer.StatusCode == 401, $"{reason}: {(int)answer.StatusCode} {text}");
                Assert.Contains(words, text, StringComparison.Ordinal);
                var challenge = Assert.Single(answer.Headers.GetValues("WWW-Authenticate"));
                if (!plain) Assert.Matches("^Bearer error=\"invalid_token\", error_description=\"[ !#-\\[\\]-~]+\"$", challenge);
            }

            Assert.All(noted, note => Assert.Equal((reason, "127.0.0.0/24"), (note.Reason, note.Network)));
            if (!plain) Assert.All(noted, note => Assert.Equal(who, note.Who));
            Assert.Equal(2, noted.Count);
        }
    }

    [Fact]
    public async Task A_hub_without_sign_in_says_so_to_a_token()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync();

        var refused = await RefusedAsync(hub.With(issuer.Token()).GetAsync("api/v1/agencies"), 401, "unauthorized");

        Assert.Contains("nicht eingerichtet", refused.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_key_of_the_issuer_counts_with_the_first_token_that_names_it()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings());
        await OkAsync(hub.With(issuer.Token()).GetAsync("api/v1/agencies"));
        using var before = RSA.Create(issuer.Key.Rsa.ExportParameters(true));
        var old = new SigningCredentials(new RsaSecurityKey(before) { KeyId = issuer.Key.KeyId }, SecurityAlgorithms.RsaSha256);
        await issuer.RotateAsync();
        await Task.Delay(1_100);

        await OkAsync(hub.With(issuer.Token()).GetAsync("api/v1/agencies"));
        await RefusedAsync(hub.With(issuer.Token(old, ("jti", "2"))).GetAsync("api/v1/agencies"), 401, "unauthorized");
    }

    [Fact]
    public async Task An_issuer_that_is_down_changes_nothing_for_known_keys_and_lets_nothing_through()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings());
        await OkAsync(hub.With(issuer.Token()).GetAsync("api/v1/agencies"));
        await issuer.StopAsync();

        await OkAsync(hub.With(issuer.Token(null, ("jti", "2"))).GetAsync("api/v1/agencies"));
        using var other = RSA.Create(2_048);
        await RefusedAsync(hub.With(issuer.Token(new(new RsaSecurityKey(other) { KeyId = "neu" }, SecurityAlgorithms.RsaSha256))).GetAsync("api/v1/agencies"), 401, "unauthorized");

        // A hub that never had its keys can check none; keys of its own go on counting.
        await hub.RestartAsync();
        using var later = await hub.With(issuer.Token()).GetAsync("api/v1/agencies");
        Assert.Equal(503, (int)later.StatusCode);
        Assert.NotNull(later.Headers.RetryAfter);
        await OkAsync(hub.Admin.GetAsync("api/v1/agencies"));

        await issuer.OpenAgainAsync();
        await Task.Delay(1_100);
        await OkAsync(hub.With(issuer.Token()).GetAsync("api/v1/agencies"));
    }

    [Fact]
    public async Task A_token_that_is_remembered_ends_when_it_expires()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var issuer = await SignInIssuer.StartAsync();
        await using var hub = await StartAsync(issuer.Settings(), clock);
        var client = hub.With(issuer.Token(null, ("exp", clock.GetUtcNow().AddSeconds(100).ToUnixTimeSeconds())));
        await OkAsync(client.GetAsync("api/v1/agencies"));
        clock.Advance(TimeSpan.FromSeconds(125));
        await OkAsync(client.GetAsync("api/v1/agencies"));
        clock.Advance(TimeSpan.FromSeconds(10));

        await RefusedAsync(client.GetAsync("api/v1/agencies"), 401, "unauthorized");
    }

    [Theory]
    [InlineData("Authority", "http://sso.example/", "https")]
    [InlineData("Authority", "sso", "Authority")]
    [InlineData("Name", "Der Aussteller", "Name")]
    [InlineData("Groups", "leser", "Groups")]
    [InlineData("ClientSecretFile", "/gibt/es/nicht", "ClientSecretFile")]
    [InlineData("RequireHttps", "false", "RequireHttps")]
    [InlineData("Address", "https://hub.example/pfad", "Address")]
    public void A_sign_in_that_cannot_work_ends_the_start_with_the_setting(string setting, string value, string named)
    {
        var settings = new Dictionary<string, string?> { ["DataHub:SignIn:Authority"] = "https://sso.example/realms/stadt" };
        settings["DataHub:SignIn:" + setting] = value;

        var fault = Assert.Throws<StartException>(() => SignIn.Open(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), embedded: true, ListenAddresses.Default));

        Assert.Contains(named, fault.Reason.De, StringComparison.Ordinal);
    }

    [Fact]
    public void The_log_has_one_line_a_second_for_each_reason()
    {
        var clock = new FakeTimeProvider();
        var lines = new Lines();
        var failures = new SignInFailures(clock, lines);
        for (var i = 0; i < 100; i++) failures.Note("expired", "person:oidc:anna", "10.0.0.0/24");
        failures.Note("signature", null, null);
        clock.Advance(TimeSpan.FromSeconds(1));
        failures.Note("expired", "person:oidc:anna", "10.0.0.0/24");

        Assert.Equal(3, lines.Count);
        Assert.Contains("99 more", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_cookie_takes_the_groups_that_fit_into_it()
    {
        string[] many = [.. Enumerable.Range(0, 200).Select(number => $"umwelt/{number:d3}-{new string('g', 39)}")];

        Assert.Equal(many[..80], SignInPages.Few(many));
        Assert.Equal(many[..3], SignInPages.Few(many[..3]));
    }

    /// <summary>A dataset that is not open with one row, in a dataspace of its own where the group <c>{agency}/leser</c> reads.</summary>
    internal static async Task InternalDatasetAsync(HubFixture hub, string agency)
    {
        await hub.KeyAsync(agency, KeyRole.Admin);
        var group = await hub.Grains.GetGrain<IGroupGrain>(agency + "/leser").PutAsync(Caller.Hub, new("Leser", "Readers"));
        Assert.Equal(CatalogRefusal.None, group.Refusal);
        var made = await hub.Grains.GetGrain<IDataspaceGrain>(agency).PutAsync(Caller.Hub, new(new(agency, agency), null, agency));
        Assert.Equal(CatalogRefusal.None, made.Refusal);
        var granted = await hub.Grains.GetGrain<IDataspaceGrain>(agency).GrantAsync(Caller.Hub, new(agency + "/leser", DataspaceRole.Reader, null, "Test", null));
        Assert.Equal(CatalogRefusal.None, granted.Refusal);
        await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/datasets/{agency}", new
        {
            title = new { de = agency },
            publisher = agency,
            kind = "observations",
            access = "internal",
            dataspace = agency,
            schema = new
            {
                primaryKey = new[] { "station", "time" },
                fields = new object[] { new { name = "station", type = "string", role = "series" }, new { name = "time", type = "datetime", role = "time" }, new { name = "wert", type = "number", role = "measure" } },
            },
        }));
        await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/datasets/{agency}/feeds/default/records", new[] { new { station = "a", time = "2026-11-23T08:00:00Z", wert = 1 } }));
    }

    private sealed class Lines : List<string>, ILogger<SignInFailures>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }

    private sealed class Noting(ConcurrentQueue<(string, string?, string?)> notes) : ISignInFailures
    {
        public void Note(string reason, string? who, string? network) => notes.Enqueue((reason, who, network));

        public void Refused(string who, string request, string? network)
        {
        }
    }
}
