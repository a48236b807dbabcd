using System.Net;

using DataHub.Hosting;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DataHub.Catalog;

/// <summary>
/// Sign-in without an issuer, for trying a hub out on one machine: the first administrator by the platform's admin key, the
/// people of the demo by a button. Only where the settings turn it on, and only for requests of this machine. Who they are
/// and what they hold is settled as for everybody: by groups and the roles that these were given.
/// </summary>
internal sealed partial class LocalSignIn(
    SignIn signIn, KeyRing keys, IGrainFactory grains, ISignInFailures failures, PageRenderer pages, IEnumerable<LocalPerson> people, TimeProvider time, ILogger<LocalSignIn> logger)
{
    /// <summary>People who have signed in locally are <c>local:{subject}</c>.</summary>
    public const string Issuer = "local";

    /// <summary>The first administrator's subject.</summary>
    public const string Administrator = "admin";

    /// <summary>Where the forms are sent to.</summary>
    public const string Path = "/signin/local";

    private const string Group = Caller.PlatformAgency + "/local-administrators", KeyForm = "administrator", PersonForm = "demo";

    /// <summary>What a proxy adds: behind one everybody seems to be on this machine.</summary>
    private static readonly string[] s_proxies = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"];

    private readonly LocalPerson[] _people = [.. people];

    /// <summary>Whether a request comes from this machine, to an address that means this machine only (pages of others cannot borrow it by their name), through no proxy.</summary>
    public static bool IsFromHere(HttpContext http) =>
        http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        && ListenAddresses.IsLoopbackHost(http.Request.Host.Host)
        && !Array.Exists(s_proxies, name => http.Request.Headers.ContainsKey(name));

    /// <summary>The page with the forms.</summary>
    public async Task PageAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!IsFromHere(http)) await RefuseAsync(http);
        else if (SignInPages.BackOf(http) is not { } back) await SignInPages.AnswerAsync(http, SignInPages.BadBack(http));
        else await WriteAsync(http, back, null);
    }

    /// <summary>Takes what was sent from it.</summary>
    public async Task SignInAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!IsFromHere(http))
        {
            await RefuseAsync(http);
            return;
        }

        if (!SignInCookies.IsOwn(http.Request, signIn))
        {
            failures.Note(SignInFailures.Origin, null, SignInFailures.NetworkOf(http));
            await SignInCookies.Foreign(http).ExecuteAsync(http);
            return;
        }

        var (form, unreadable) = await http.ReadFieldsAsync();
        if (form is null)
        {
            await unreadable!.ExecuteAsync(http);
            return;
        }

        var back = form["back"].ToString() is { Length: > 0 } asked ? asked : "/";
        if (!SignInPages.IsLocal(back)) await SignInPages.BadBack(http).ExecuteAsync(http);
        else if (form.ContainsKey("key")) await AdministratorAsync(http, form["key"].ToString().Trim(), back);
        else await PersonAsync(http, form["person"].ToString(), back);
    }

    private async Task AdministratorAsync(HttpContext http, string text, string back)
    {
        var display = Display.In(PageQuery.Of(http).Language);
        var fault = ApiKey.Parse(text, out var key);
        var caller = fault == ApiKeyFault.None ? await keys.FindAsync(key) : null;
        if (caller is not { Agency: Caller.PlatformAgency, Role: KeyRole.Admin, Scope: null })
        {
            var (reason, why) = fault switch
            {
                ApiKeyFault.NotAKey => (SignInFailures.Malformed, display.Say("Das ist kein Schlüssel dieses Hubs; einer beginnt mit „dh_platform.“.", "This is no key of this hub; one begins with “dh_platform.”.")),
                ApiKeyFault.Mistyped => (SignInFailures.Mistyped, display.Say("Der Schlüssel ist unvollständig oder enthält einen Tippfehler. Bitte noch einmal vollständig kopieren.", "The key is incomplete or mistyped. Please copy it again in full.")),
                _ when caller is null => (SignInFailures.UnknownKey, display.Say("Diesen Schlüssel gibt es nicht, oder er wurde zurückgezogen.", "There is no such key, or it was revoked.")),
                _ => (SignInFailures.NoAdministrator, display.Say("Dieser Schlüssel verwaltet die Plattform nicht. Gebraucht wird ein Admin-Schlüssel der Behörde „platform“, der auf nichts enger gefasst ist.", "This key does not administer the platform. What is needed is an admin key of the agency “platform” that is narrowed to nothing.")),
            };
            failures.Note(reason, caller?.Subject ?? (fault == ApiKeyFault.None ? $"key:{key.Agency}.{key.KeyId}" : null), SignInFailures.NetworkOf(http));
            http.Response.Headers.WWWAuthenticate = "Bearer";
            await WriteAsync(http, back, new(KeyForm, null, why, StatusCodes.Status401Unauthorized));
            return;
        }

        if (await GrantAsync(caller) is { } refused) await WriteAsync(http, back, new(KeyForm, null, refused.In(display.Language), StatusCodes.Status503ServiceUnavailable));
        else await DoneAsync(http, new(Issuer, Administrator, display.Say("Verwaltung", "Administrator"), [Group]), back);
    }

    /// <summary>
    /// Gives the group that the administrator signs in with the role that administers the platform, in the name of the key.
    /// It ends by itself, soon after nobody can be signed in with it any more.
    /// </summary>
    /// <returns>Why it was not given; null: it holds.</returns>
    private async Task<LocalText?> GrantAsync(Caller key)
    {
        var made = await grains.GetGrain<IGroupGrain>(Group).PutAsync(key, new("Lokale Verwaltung", "Local administrators"));
        if (made.Refusal != CatalogRefusal.None) return made.Detail;
        // In whole lives, so that signing in again and again is one grant, not many.
        var life = signIn.Settings.LongestLife.Ticks;
        var until = new DateTimeOffset(((time.GetUtcNow().UtcTicks / life) + 2) * life, TimeSpan.Zero);
        var given = await grains.GetGrain<IDataspaceGrain>(Dataspaces.Platform).GrantAsync(key, new(Group, DataspaceRole.Administrator, null, "Lokale Anmeldung (DataHub:SignIn:Local)", until));
        return given.Refusal == CatalogRefusal.None ? null : given.Detail;
    }

    private async Task PersonAsync(HttpContext http, string subject, string back)
    {
        var display = Display.In(PageQuery.Of(http).Language);
        if (Array.Find(_people, one => one.Subject == subject) is not { } person)
        {
            failures.Note(SignInFailures.Subject, null, SignInFailures.NetworkOf(http));
            await WriteAsync(http, back, new(PersonForm, null, display.Say("Diese Person gibt es in der Demo nicht.", "There is no such person in the demo."), StatusCodes.Status422UnprocessableEntity));
            return;
        }

        await DoneAsync(http, new(Issuer, person.Subject, person.Name.In(display.Language), []), back);
    }

    private async Task DoneAsync(HttpContext http, PersonClaims claims, string back)
    {
        await SignInPages.SetLocallyAsync(http, claims, time);
        LogSignedIn(Subjects.Person(claims.Issuer, claims.Subject));
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = back;
    }

    private Task RefuseAsync(HttpContext http)
    {
        failures.Note(SignInFailures.NotHere, null, SignInFailures.NetworkOf(http));
        return SignInPages.AnswerAsync(http, Problems.Problem(http, ProblemTypes.NotFound, new(
            "Die lokale Anmeldung gibt es nur auf dem Rechner, auf dem der Hub läuft, unter http://localhost oder http://127.0.0.1.",
            "The local sign-in is there only on the machine that the hub runs on, at http://localhost or http://127.0.0.1.")));
    }

    private async Task WriteAsync(HttpContext http, string back, StewardEntry? entry)
    {
        var query = PageQuery.Of(http);
        var display = Display.In(query.Language);
        (string, string)[] hidden = [("back", back)];
        var sections = new List<StewardSection>
        {
            new(KeyForm, display.Say("Als erste Verwaltung", "As the first administrator"),
                display.Say("Mit dem Admin-Schlüssel der Plattform. Der Hub hat ihn beim ersten Start in die Datei admin.key seines Datenordners geschrieben. Angemeldet sind Sie dann als local:admin mit der Rolle Plattformverwaltung.", "With the platform's admin key. At its first start the hub wrote it into the file admin.key of its data folder. You are then signed in as local:admin with the role administrator."),
                [], [], null)
            {
                Forms =
                [
                    new StewardForm(KeyForm, null, Path, display.Say("Anmelden", "Sign in"), hidden,
                        [new("key", display.Say("Admin-Schlüssel (dh_platform.…)", "Admin key (dh_platform.…)"), StewardFieldKind.Secret) { Required = true, MaxLength = ApiKey.MaxLength }]).With(entry),
                ],
            },
        };
        if (_people.Length > 0)
        {
            sections.Add(new(PersonForm, display.Say("Als Person der Demo", "As somebody of the demo"),
                display.Say("Jede hat eine Rolle im Datenraum der Demo; so lässt sich ansehen, was wer darf.", "Each holds one role in the dataspace of the demo; so one can see who may do what."), [], [], null)
            {
                Forms = [new StewardForm(PersonForm, null, Path, "", hidden, []) { Choices = [.. _people.Select(person => ("person", person.Subject, person.Name.In(display.Language)))] }.With(entry)],
            });
        }

        await StewardPages.WriteAsync(pages, http, query, new(display, "/signin", query.LanguageChosen, display.Say("Anmelden", "Sign in"), [], null, [.. sections])
        {
            Banner = display.Say("Lokale Anmeldung – nur für Erprobung auf diesem Rechner", "Local sign-in – for trying out on this machine only"),
            Back = back,
        }, entry?.Status ?? StatusCodes.Status200OK);
    }

    [LoggerMessage(1261, LogLevel.Information, "{Person} has signed in locally")]
    private partial void LogSignedIn(string person);
}
