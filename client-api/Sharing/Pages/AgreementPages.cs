using System.Globalization;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Sharing;

/// <summary>The pages on which two agencies negotiate and run an agreement: what the interface tells the same reader, in words.</summary>
internal sealed class AgreementPages(IGrainFactory grains, PageRenderer renderer, TimeProvider time)
{
    /// <summary>The section to which a done act leads.</summary>
    public const string Standing = "standing";

    /// <summary>Agreements of a page, those looked at for it, events of a page, and those read at once.</summary>
    private const int PageSize = 50, MaxLooked = 500, EventsSize = 100, ReadSize = 500;

    /// <param name="entry">What was entered in the draft and refused; null: nothing.</param>
    public async Task ListAsync(HttpContext http, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        var caller = http.Caller();
        var named = http.Request.Query["agency"].ToString() is { Length: > 0 } text ? text : null;
        var agency = named ?? (caller.IsPlatformAdmin ? null : caller.Agency);
        var (found, next) = caller.IsPublic || (agency is not null && !CatalogIds.IsValid(agency)) ? ([], null) : await ReadAsync(caller, agency, query.After);
        var forms = await DraftAsync(http, display, entry);
        await StewardPages.WriteAsync(renderer, http, query, new(
            display, "/agreements", query.LanguageChosen, display.Say("Vereinbarungen", "Agreements"), [],
            display.Say(
                "Was zwei Behörden über das Teilen eines Datensatzes verhandeln und vereinbart haben. Für die bereitstellende Seite handelt, wer Rollen an dem Datensatz vergibt, für die empfangende, wer deren Behörde verwaltet oder in einem ihrer Datenräume koordiniert; nur sie sehen eine Vereinbarung.",
                "What two agencies negotiate and have agreed on sharing a dataset. For the provider acts whoever gives roles on the dataset, for the recipient whoever manages that agency or coordinates in a dataspace of it; only they see an agreement."),
            [
                new("agreements", display.Say("Ihre Vereinbarungen", "Your agreements"), null,
                    [display.Say("Titel", "Title"), display.Say("Von → an", "From → to"), display.Say("Datensatz", "Dataset"), display.Say("Zustand", "State"), display.Say("Bis", "Until"), display.Say("Von Ihrer Seite erbeten", "Asked of your side")],
                    [.. found.Select(info => Row(info, display))],
                    caller.IsPublic
                        ? display.Say("Vereinbarungen sehen nur die beiden Seiten: bitte anmelden.", "Only the two sides see agreements: please sign in.")
                        : next is null ? display.Say("Keine, von denen Sie wissen dürfen.", "None that you may know of.") : display.Say("Keine auf dieser Seite; weiter unten geht es weiter.", "None on this page; it goes on below."))
                { Forms = forms },
            ])
        {
            Filters = [("agency", display.Say("Behörde", "Agency"), agency)],
            Next = next is null ? null : $"/agreements?after={next}{(named is null ? "" : "&agency=" + named)}",
        }, entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <param name="entry">What was entered in a form and refused; null: nothing.</param>
    public async Task OneAsync(HttpContext http, string agreement, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        if (await FindAsync(http, agreement, display) is not { } info) return;
        var before = int.TryParse(http.Request.Query["before"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : int.MaxValue;
        var (events, changes) = await EventsAsync(http.Caller(), info, before);
        var standing = new AgreementStanding(display, info);
        var forms = new AgreementForms(display, entry);
        var signedIn = StewardPages.HasSignedIn(http);
        var subject = http.Caller().Subject;
        var acts = signedIn ? forms.OfActs(info, subject) : [];
        var duties = signedIn ? forms.OfDuties(info, subject, time.GetUtcNow()) : [];
        var asked = standing.Asked().ToArray();
        var path = "/agreements/" + agreement;
        await StewardPages.WriteAsync(renderer, http, query, new(
            display, path, query.LanguageChosen, info.Terms.Title.In(display.Language), [(display.Say("Vereinbarungen", "Agreements"), "/agreements")],
            display.Say(
                $"{info.Terms.Provider} stellt {info.Terms.Recipient} den Datensatz {info.Terms.Dataset} bereit. Zeiten nach Berliner Uhr; im Text der Vereinbarung und in Feldern mit diesem Vermerk in UTC.",
                $"{info.Terms.Provider} provides the dataset {info.Terms.Dataset} to {info.Terms.Recipient}. Times by Berlin's clock; in the text of the agreement and in fields that say so in UTC."),
            [
                new(Standing, display.Say("Wie es steht: ", "How it stands: ") + AgreementWords.Name(info.State).In(display.Language), null, [], [], null)
                {
                    Done = forms.Done(http),
                    Fault = forms.Left([.. acts, .. duties]),
                    Parts =
                    [
                        (display.Say("Was gilt", "What holds"), [standing.Holds]),
                        (display.Say("Was als Nächstes geschieht, und durch wen", "What happens next, and who acts"),
                            [.. asked.Select(one => $"{Upper(standing.Name(one.Side))} ({(one.Side == AgreementSide.Provider ? info.Terms.Provider : info.Terms.Recipient)}): {one.What}."), .. standing.Comes is { } comes ? [comes] : Array.Empty<string>()]),
                        (display.Say("Von Ihrer Seite erbeten", "Asked of your side"), [standing.AskedOfReader is { } mine ? Upper(mine) + "." : display.Say("Nichts.", "Nothing.")]),
                        (display.Say("Zugestimmt haben", "Agreed by"), [.. info.Signatures.Select(signature => $"{Upper(standing.Name(signature.Side))}: {signature.Who}, {standing.When(signature.At)}")]),
                    ],
                    Forms = acts,
                    Links = [.. AgreementForms.Stops.Where(act => signedIn && standing.For(act, subject).Length > 0).Select(act => (act == AgreementAct.Revoke ? display.Say("Widerrufen …", "Revoke …") : display.Say("Aussetzen …", "Suspend …"), $"{path}/{AgreementWords.Of(act)}"))],
                },
                .. Changes(display, standing, info, changes),
                new("text", display.Say($"Text der Fassung {info.Version}", $"Text of version {info.Version}"), null, [], [], null)
                {
                    Parts = [.. AgreementText.Sections(info, display.Language)],
                    Links = [(display.Say("Zum Drucken", "To print"), $"/api/v1{path}/text"), (display.Say("Für Programme (ODRL)", "For programs (ODRL)"), $"/api/v1{path}/odrl")],
                },
                CharterSection(display, standing, info),
                new("duties", display.Say("Pflichten", "Duties"), null,
                    [display.Say("Pflicht", "Duty"), display.Say("Art", "Kind"), display.Say("Nächste Frist", "Next date"), display.Say("Stand", "Standing"), display.Say("Nachweis", "Evidence")],
                    [.. info.Terms.Duties.Select(duty => Row(duty, Array.Find(info.Duties, one => one.Duty == duty.Id), display, standing))],
                    display.Say("Keine.", "None."))
                { Forms = duties },
                new("events", display.Say("Was geschah", "What happened"), display.Say(
                        "Neueste zuerst. Jedes Ereignis ist mit dem vorigen verkettet; von seinem SHA-256 steht hier der Anfang, ganz steht er in der Schnittstelle.",
                        "Newest first. Every event is chained to the one before; of its SHA-256 the beginning stands here, all of it in the interface."),
                    [display.Say("Nr.", "No."), display.Say("Zeit", "Time"), display.Say("Was", "What"), display.Say("Von wem", "By whom"), display.Say("Näheres", "Details"), "SHA-256"],
                    [.. events.Select(one => Row(one.Event, one.Record, display, standing))], display.Say("Keine.", "None."))
                { Links = [(display.Say("Alle Ereignisse für Programme", "All events for programs"), $"/api/v1{path}/events")] },
            ])
        { Next = events.Length == EventsSize && events[^1].Event.Number > 1 ? $"{path}?before={AgreementStanding.Number(events[^1].Event.Number)}" : null }, entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <summary>What a suspension or revocation brings, and the form that does it.</summary>
    /// <param name="entry">What was entered and refused; null: nothing.</param>
    public async Task StopAsync(HttpContext http, string agreement, AgreementAct act, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        if (await FindAsync(http, agreement, display) is not { } info) return;
        var standing = new AgreementStanding(display, info);
        var revoke = act == AgreementAct.Revoke;
        var effect = await grains.GetGrain<ISharingAgreementGrain>(agreement).EffectAsync(http.Caller());
        var form = StewardPages.HasSignedIn(http) ? new AgreementForms(display, entry).OfStop(info, act, http.Caller().Subject) : null;
        var (title, path) = (info.Terms.Title.In(display.Language), "/agreements/" + agreement);
        await StewardPages.WriteAsync(renderer, http, query, new(
            display, $"{path}/{AgreementWords.Of(act)}", query.LanguageChosen, revoke ? display.Say($"„{title}“ widerrufen", $"Revoke “{title}”") : display.Say($"„{title}“ aussetzen", $"Suspend “{title}”"),
            [(display.Say("Vereinbarungen", "Agreements"), "/agreements"), (title, path)], standing.Holds,
            [
                // Whoever decides has seen it before the form.
                .. Effect(effect, revoke, display),
                new("stop", display.Say("Was das bringt", "What this brings"), null, [], [], form is null ? display.Say("Das ist jetzt nicht möglich.", "This is not possible now.") : null)
                {
                    Parts =
                    [
                        (revoke ? display.Say("Widerruf", "Revocation") : display.Say("Aussetzung", "Suspension"),
                        [
                            display.Say("Laufende Ströme und Exporte durch diese Vereinbarung enden innerhalb einer Sekunde; neue Anfragen werden abgewiesen.", "Streams and exports that run through this agreement end within a second; new requests are refused."),
                            display.Say($"Das betrifft {info.Terms.Recipient} und den Datensatz {info.Terms.Dataset}; was schon übergegangen ist, bleibt dort.", $"It concerns {info.Terms.Recipient} and the dataset {info.Terms.Dataset}; what was given already stays there."),
                            .. revoke
                                ? new[]
                                {
                                    display.Say("Ein Widerruf ist endgültig. Für etwas Neues muss eine neue Vereinbarung verhandelt werden.", "A revocation is final. For anything new a new agreement has to be negotiated."),
                                    display.Say("Pflichten mit festem Termin bleiben zu erfüllen.", "Duties with a fixed date still have to be fulfilled."),
                                }
                                :
                                [
                                    display.Say("Fortsetzen kann nur die Seite, die ausgesetzt hat. Laufzeit und Fristen laufen weiter.", "Only the side that suspends it can resume it. Its term and the dates of duties run on."),
                                ],
                            display.Say("Beide Seiten sehen den Grund, den Sie nennen.", "Both sides see the reason that you give."),
                        ]),
                    ],
                    Forms = form is null ? [] : [form],
                    Links = [(display.Say("Zurück, nichts ändern", "Back, change nothing"), path)],
                },
            ]), entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <summary>What hangs on an agreement.</summary>
    /// <param name="final">Whether it would be over.</param>
    private static StewardSection[] Effect(AgreementEffect? effect, bool final, Display display)
    {
        if (effect is null) return [];
        return
        [
            new(
                "readers", display.Say("Wer zuletzt las", "Who read lately"), display.Say("In diesem und im vorigen Monat (UTC), auf alle Weisen.", "In this month and the one before (UTC), in every way."),
                [display.Say("Wer", "Who"), display.Say("Zweck", "Purpose"), display.Say("Was", "What"), display.Say("Zuletzt", "Last"), display.Say("Antworten", "Answers"), display.Say("Zeilen oder Werte", "Rows or values")],
                [.. effect.Readers.Select(one => (StewardCell[])[one.Subject, one.Purpose, $"{AgreementMembers.Operation(one.Operation).In(display.Language)} {one.Object}".TrimEnd(), one.Last.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), one.Requests.ToString(CultureInfo.InvariantCulture), one.Rows.ToString(CultureInfo.InvariantCulture)])],
                display.Say("Niemand.", "Nobody.")),
            new(
                "indicators", display.Say("Indikatoren, die nicht mehr gegeben würden", "Indicators that would not be given any more"), null,
                [display.Say("Kennung", "Id"), display.Say("Titel", "Title")],
                [.. effect.Indicators.Where(one => one.NotGiven is null).Select(one => (StewardCell[])[one.Id, one.Title.In(display.Language)])], display.Say("Keine.", "None.")),
            new(
                "derived", display.Say("Abgeleitete Datensätze", "Derived datasets"),
                !final ? display.Say("Eine Aussetzung lässt sie, wie sie sind.", "A suspension leaves them as they are.")
                : effect.Rule switch
                {
                    DerivedRule.Frozen => display.Say("Vereinbart ist: Sie nehmen nichts mehr an.", "It was agreed that they take nothing more."),
                    DerivedRule.Deleted => display.Say("Vereinbart ist: Ihre Zeilen werden überall gelöscht; eine Quittung belegt es.", "It was agreed that their rows are erased everywhere; a receipt shows it."),
                    _ => display.Say("Sie bleiben.", "They are kept."),
                },
                [display.Say("Datensatz", "Dataset"), display.Say("Wie abgeleitet", "How derived"), display.Say("Datenquellen", "Feeds"), display.Say("Indikatoren", "Indicators")],
                [.. effect.Derived.Select(one => (StewardCell[])[one.Standing.Note.Dataset, one.Standing.Note.Text ?? "–", string.Join(", ", one.Feeds), string.Join(", ", one.Indicators)])], display.Say("Keine vermerkt.", "None noted.")),
        ];
    }

    /// <summary>The agreements that a caller may see, and after which id it goes on; null: it does not.</summary>
    private async Task<(List<AgreementInfo> Found, string? Next)> ReadAsync(Caller caller, string? agency, string? after)
    {
        var list = grains.GetGrain<ICatalogGrain>(agency is null ? CatalogKinds.Agreements : CatalogKinds.AgreementsOf(agency));
        var found = new List<AgreementInfo>();
        // Most agreements are others': a page looks at several times as many as it shows.
        for (var looked = 0; found.Count < PageSize && looked < MaxLooked; looked += PageSize)
        {
            var ids = await list.ListAsync(caller, after, PageSize);
            var seen = await Task.WhenAll(ids.Select(id => AgreementEndpoints.SeenAsync(grains.GetGrain<ISharingAgreementGrain>(id), caller)));
            found.AddRange(seen.OfType<AgreementInfo>());
            if (ids.Length < PageSize) return (found, null);
            after = ids[^1];
        }

        return (found, after);
    }

    /// <summary>The form for a draft, for those who may give roles somewhere.</summary>
    private async Task<StewardForm[]> DraftAsync(HttpContext http, Display display, StewardEntry? entry)
    {
        var caller = http.Caller();
        var spaces = caller.Grants.All.Where(grant => grant.Role == DataspaceRole.Coordinator).Select(grant => grant.Dataspace).Distinct(StringComparer.Ordinal).ToArray();
        if (!StewardPages.HasSignedIn(http) || (spaces.Length == 0 && !caller.IsPlatformAdmin && entry is null)) return [];
        var agencies = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Agencies).ListAsync(caller, null, 1_000);
        var infos = await Task.WhenAll(spaces.Select(space => grains.GetGrain<IDataspaceGrain>(space).GetAsync(caller)));
        return [new AgreementForms(display, entry).OfDraft(agencies, [.. infos.OfType<DataspaceInfo>().SelectMany(info => info.Datasets).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)])];
    }

    /// <summary>The events before a number, newest first, and the last two changes of the terms, the newer one first.</summary>
    private async Task<((AgreementEvent Event, AgreementRecord Record)[] Events, AgreementEvent[] Changes)> EventsAsync(Caller caller, AgreementInfo info, int before)
    {
        var grain = grains.GetGrain<ISharingAgreementGrain>(info.Id);
        var (changes, shown) = (new List<AgreementEvent>(2), new List<(AgreementEvent, AgreementRecord)>());
        var wanted = Math.Min(info.Version, 2);
        for (var from = info.Events; from > 0 && (changes.Count < wanted || shown.Count < EventsSize);)
        {
            var first = Math.Max(0, from - ReadSize);
            var read = await grain.EventsAsync(caller, first, from - first) ?? [];
            foreach (var record in read.Reverse())
            {
                if (AgreementContent.Read(info.Id, record.Content) is not { } happened || happened.Number > from) continue;
                if (happened.Act == AgreementAct.Change && happened.Version <= info.Version && changes.Count < wanted) changes.Add(happened);
                if (happened.Number < before && shown.Count < EventsSize) shown.Add((happened, record));
            }

            from = first;
        }

        return ([.. shown], [.. changes]);
    }

    private static StewardSection[] Changes(Display display, AgreementStanding standing, AgreementInfo info, AgreementEvent[] changes)
    {
        if (changes is not [{ Terms: { } now } last, { Terms: { } before } first]) return [];
        return
        [
            new("changes", display.Say($"Was Fassung {last.Version} gegenüber Fassung {first.Version} ändert", $"What version {last.Version} changes in version {first.Version}"), null, [], [], null)
            {
                Parts =
                [
                    ($"{Upper(standing.Name(last.Side))}, {last.Who}, {standing.When(last.At)}", AgreementMembers.Differences(before, now, display)),
                ],
            },
        ];
    }

    private static StewardSection CharterSection(Display display, AgreementStanding standing, AgreementInfo info)
    {
        var failed = info.Checks.Count(check => check.Fulfilled == false);
        var acknowledged = info.Acknowledged.Length == 0 ? display.Say("noch niemand", "nobody yet") : string.Join(display.Say(" und ", " and "), info.Acknowledged.Select(standing.Name));
        return new("charter", "Data-Sharing-Charta",
            display.Say($"Fassung {Charter.Version}. Anerkannt hat sie: {acknowledged}. ", $"Version {Charter.Version}. Acknowledged by: {acknowledged}. ")
                + (failed == 0 ? display.Say("Die Bedingungen halten sie ein, soweit ein Programm das prüfen kann.", "The terms keep it, as far as a program can check.") : display.Say($"Nicht eingehalten: {failed}.", $"Not kept: {failed}.")),
            [display.Say("Klausel", "Clause"), display.Say("Eingehalten", "Kept"), display.Say("Was verlangt ist", "What is asked for")],
            [.. info.Checks.Select(check => new StewardCell[]
            {
                new StewardCell(standing.Clause(check.Clause), null, Charter.Clauses.FirstOrDefault(clause => clause.Id == check.Clause)?.Text.In(display.Language)),
                check.Fulfilled switch { true => display.Say("ja", "yes"), false => display.Say("nein", "no"), _ => display.Say("durch Anerkennung", "by acknowledging it") },
                check.Text.In(display.Language),
            })],
            display.Say("Der Datensatz ist nicht mehr da; es gibt nichts zu prüfen.", "The dataset is no longer there; there is nothing to check."));
    }

    private static StewardCell[] Row(AgreementInfo info, Display display)
    {
        var standing = new AgreementStanding(display, info);
        return
        [
            new StewardCell(info.Terms.Title.In(display.Language), "/agreements/" + info.Id, info.Id), $"{info.Terms.Provider} → {info.Terms.Recipient}", info.Terms.Dataset,
            new StewardCell(AgreementWords.Name(info.State).In(display.Language), null, display.Say($"Fassung {info.Version}", $"version {info.Version}")), standing.When(info.Ends), standing.AskedOfReader ?? display.Say("nichts", "nothing"),
        ];
    }

    private static StewardCell[] Row(AgreementDuty duty, DutyStanding? how, Display display, AgreementStanding standing) =>
    [
        new StewardCell(duty.Text.In(display.Language), null, duty.Id), AgreementMembers.Name(duty.Kind).In(display.Language),
        new StewardCell(standing.When(how?.Next), null, duty.Every is { } every ? display.Say("immer wieder: ", "again and again: ") + every : null),
        how?.MissedSince is { } missed ? new StewardCell(display.Say("versäumt seit ", "missed since ") + standing.When(missed), null, display.Say("bringt: ", "brings: ") + AgreementMembers.Name(duty.Missed).In(display.Language))
            : how?.FulfilledAt is { } fulfilled ? display.Say("erfüllt am ", "fulfilled on ") + standing.When(fulfilled)
            : display.Say("offen", "open"),
        how?.Evidence,
    ];

    private static StewardCell[] Row(AgreementEvent happened, AgreementRecord record, Display display, AgreementStanding standing) =>
    [
        AgreementStanding.Number(happened.Number), standing.When(happened.At),
        new StewardCell(happened is { Act: AgreementAct.Change, Version: 1 } ? display.Say("entworfen", "drafted") : AgreementMembers.Name(happened.Act).In(display.Language), null, display.Say($"Fassung {happened.Version}", $"version {happened.Version}")),
        new StewardCell(happened.Who, null, standing.Name(happened.Side)),
        string.Join(" · ", new[]
        {
            happened.Reason is { } reason ? standing.Why(reason, happened.Side) : null, happened.Act != AgreementAct.Suspend && happened.Duty is { } duty ? display.Say("Pflicht ", "duty ") + duty : null, happened.Due is { } due ? display.Say("zum ", "as of ") + standing.When(due) : null,
            happened.Evidence, happened.Charter is { } charter ? display.Say("Charta, Fassung ", "charter, version ") + charter : null,
        }.OfType<string>()) is { Length: > 0 } text ? text : "–",
        Convert.ToHexStringLower(record.Hash.AsSpan(0, 6)) + "…",
    ];

    private async Task<AgreementInfo?> FindAsync(HttpContext http, string agreement, Display display)
    {
        if (CatalogIds.IsValid(agreement) && await grains.GetGrain<ISharingAgreementGrain>(agreement).GetAsync(http.Caller()) is { } info) return info;
        await PagesExtensions.WriteErrorAsync(http, StatusCodes.Status404NotFound, display.Say(
            $"Die Vereinbarung „{agreement}“ gibt es nicht, oder Sie dürfen nicht von ihr wissen. Wer für eine der beiden Seiten handelt, meldet sich dafür an.",
            $"There is no agreement “{agreement}”, or you may not know of it. Whoever acts for one of the two sides signs in for that."));
        return null;
    }

    private static (PageQuery Query, Display Display) Asked(HttpContext http)
    {
        var query = PageQuery.Of(http);
        return (query, Display.In(query.Language));
    }

    private static string Upper(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}

/// <summary>Registration of the pages of agreements.</summary>
internal static class AgreementPagesExtensions
{
    public static void AddAgreementPages(this IServiceCollection services) => services.AddSingleton<AgreementPages>().AddSingleton<AgreementActs>();

    /// <summary>Routes <c>/agreements</c> and <c>/agreements/{agreement}</c>, what explains a stop, and the forms where people sign in on pages.</summary>
    public static void MapAgreementPages(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/agreements", (HttpContext http, AgreementPages pages) => pages.ListAsync(http)).ExcludeFromDescription();
        routes.MapRead("/agreements/{agreement}", (HttpContext http, string agreement, AgreementPages pages) => pages.OneAsync(http, agreement)).ExcludeFromDescription();
        foreach (var act in AgreementForms.Stops)
            routes.MapRead("/agreements/{agreement}/" + AgreementWords.Of(act), (HttpContext http, string agreement, AgreementPages pages) => pages.StopAsync(http, agreement, act)).ExcludeFromDescription();
        if (routes.ServiceProvider.GetService<SignInCookies>() is null) return;
        routes.MapPost("/agreements", (HttpContext http, AgreementActs acts) => acts.DraftAsync(http)).ExcludeFromDescription();
        routes.MapPost("/agreements/{agreement}/acts", (HttpContext http, string agreement, AgreementActs acts) => acts.ActAsync(http, agreement)).ExcludeFromDescription();
        routes.MapPost("/agreements/{agreement}/" + AgreementForms.Terms, (HttpContext http, string agreement, AgreementActs acts) => acts.ChangeAsync(http, agreement)).ExcludeFromDescription();
    }
}
