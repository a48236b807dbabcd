using System.Globalization;
using System.Text.Json;

using DataHub.Governance;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DataHub.Catalog;

/// <summary>
/// The pages of dataspaces, agencies and the audit log. They show what the same reader is told by the interface, and say
/// what is missing where something is not shown.
/// </summary>
internal sealed class StewardPages(IGrainFactory grains, PageRenderer pages)
{
    private const int PageSize = 100;

    /// <summary>By whose clock instants are shown and days end.</summary>
    public const string Zone = "Europe/Berlin";

    private static readonly string[] s_filters = ["action", "agency", "actor", "object"];

    /// <param name="entry">What was entered in a form and refused; null: nothing.</param>
    public async Task DataspacesAsync(HttpContext http, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        var forms = new StewardForms(display, entry, DateTimeOffset.UtcNow);
        // Whoever administers the platform makes dataspaces; of agencies their keys do, which are no people.
        var agencies = HasSignedIn(http) && http.Caller().IsPlatformAdmin ? await grains.GetGrain<ICatalogGrain>(CatalogKinds.Agencies).ListAsync(http.Caller(), null, 1_000) : [];
        var after = http.Request.Query["after"].ToString();
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Dataspaces).ListAsync(http.Caller(), after.Length == 0 ? null : after, PageSize);
        var found = await Task.WhenAll(ids.Select(id => grains.GetGrain<IDataspaceGrain>(id).GetAsync(http.Caller())));
        await WriteAsync(http, query, new(
            display, "/dataspaces", query.LanguageChosen, display.Say("Datenräume", "Dataspaces"), [],
            display.Say("Was zusammengehört und worüber gemeinsam entschieden wird: wer liest, wer entwickelt, wer freigibt.", "What belongs together and is decided about together: who reads, who develops, who releases."),
            [
                new("dataspaces", display.Say("Alle Datenräume", "All dataspaces"), null, [display.Say("Name", "Name"), display.Say("Trägerin", "Owner")],
                    [.. found.OfType<DataspaceInfo>().Select(info => new StewardCell[] { new StewardCell(info.Spec.Title.In(display.Language), "/dataspaces/" + info.Id, info.Id), new StewardCell(info.Spec.Owner, "/agencies/" + info.Spec.Owner) }), .. agencies.Length == 0 ? Array.Empty<StewardCell[]>() : [Platform(display)]],
                    display.Say("Es gibt noch keinen Datenraum. Einen anlegen: PUT /api/v1/dataspaces/…", "There is no dataspace yet. To make one: PUT /api/v1/dataspaces/…"))
                { Forms = agencies.Length == 0 ? [] : forms.OfDataspaces(agencies) },
                .. agencies.Length == 0 ? Array.Empty<StewardSection>() :
                [
                    new("agencies", display.Say("Behörden", "Agencies"), display.Say("Ihre Schlüssel und Gruppen.", "Their keys and groups."), [display.Say("Kennung", "Id")], [.. agencies.Select(id => new StewardCell[] { new StewardCell(id, "/agencies/" + id) })], null),
                ],
            ])
        { Next = ids.Length == PageSize ? "/dataspaces?after=" + ids[^1] : null }, entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <param name="entry">What was entered in a form and refused; null: nothing.</param>
    public async Task DataspaceAsync(HttpContext http, string dataspace, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        if (!CatalogIds.IsValid(dataspace) || await grains.GetGrain<IDataspaceGrain>(dataspace).GetAsync(http.Caller()) is not { } info)
        {
            await PagesExtensions.WriteErrorAsync(http, StatusCodes.Status404NotFound, display.Say($"Den Datenraum „{dataspace}“ gibt es nicht.", $"There is no dataspace “{dataspace}”."));
            return;
        }

        var found = await Task.WhenAll(info.Datasets.Select(id => grains.GetGrain<IDatasetGrain>(id).GetAsync(http.Caller())));
        var datasets = found.OfType<DatasetInfo>().Where(dataset => dataset.Spec.Dataspace == dataspace).ToArray();
        var rights = HasSignedIn(http) ? await Task.WhenAll(datasets.Select(dataset => RightsAsync(http, dataset.Id))) : [];
        var grants = await grains.GetGrain<IDataspaceGrain>(dataspace).ListGrantsAsync(http.Caller());
        var now = DateTimeOffset.UtcNow;
        var forms = new StewardForms(display, entry, now);
        (DatasetInfo, AccessRights)[] held = [.. datasets.Zip(rights)];
        await WriteAsync(http, query, new(
            display, "/dataspaces/" + dataspace, query.LanguageChosen, info.Spec.Title.In(display.Language), [(display.Say("Datenräume", "Dataspaces"), "/dataspaces")], info.Spec.Description?.In(display.Language),
            [
                new("datasets", display.Say("Datensätze", "Datasets"), null, [display.Say("Titel", "Title"), display.Say("Zustand", "State"), display.Say("Zugang", "Access"), display.Say("Veröffentlicht von", "Published by")],
                    [.. datasets.Select(dataset => new StewardCell[]
                    {
                        new StewardCell(dataset.Spec.Title.In(display.Language), null, dataset.Id),
                        new StewardCell(AccessWords.Name(dataset.State).In(display.Language), null, string.Join(" · ", new[] { AccessWords.Of(dataset.State), dataset.State is ReleaseState.Draft or ReleaseState.Ready ? forms.Lacks(DatasetChecklist.Of(dataset.Spec)) : null }.OfType<string>())),
                        dataset.Spec.Access == AccessClass.Open ? display.Say("offen", "open") : display.Say("intern", "internal"), new StewardCell(dataset.Spec.Publisher, "/agencies/" + dataset.Spec.Publisher),
                    })],
                    display.Say("Keine, von denen Sie wissen dürfen.", "None that you may know of."))
                { Forms = forms.OfDatasets(dataspace, held), Done = forms.Done(http, StewardForms.State) },
                new("roles", display.Say("Rollen", "Roles"), grants.Detail?.In(display.Language),
                    [display.Say("Gruppe", "Group"), display.Say("Rolle", "Role"), display.Say("Gilt für", "Holds for"), display.Say("Vergeben", "Given"), display.Say("Bis", "Until"), display.Say("Warum", "Why")],
                    [.. grants.Grants.OrderByDescending(grant => grant.Holds(now)).ThenByDescending(grant => grant.At).Select(grant => new StewardCell[]
                    {
                        new StewardCell(grant.Group, "/agencies/" + Subjects.AgencyOf(grant.Group) + "#groups"), AccessWords.Name(grant.Role).In(display.Language), grant.Dataset ?? display.Say("den ganzen Datenraum", "the whole dataspace"),
                        new StewardCell(display.Instant(grant.At, Zone), null, grant.By),
                        grant.RevokedAt is { } revoked ? new StewardCell(display.Say("entzogen", "revoked") + " " + display.Instant(revoked, Zone), null, $"{grant.RevokedBy}: {grant.RevokedWhy}")
                            : grant.Until is { } until ? new StewardCell(display.Instant(until, Zone), null, grant.Holds(now) ? null : display.Say("abgelaufen", "over"))
                            : display.Say("auf Widerruf", "until revoked"),
                        grant.Why,
                    })],
                    grants.Refusal == CatalogRefusal.None ? display.Say("Noch keine Rolle vergeben.", "No role given yet.") : null)
                { Forms = HasSignedIn(http) ? forms.OfRoles(info, held, grants.Grants, whole: grants.Refusal == CatalogRefusal.None) : [], Done = forms.Done(http, StewardForms.NewDataspace, StewardForms.Grant, StewardForms.Revocation) },
            ]), entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <param name="entry">What was entered in a form and refused; null: nothing.</param>
    /// <param name="made">A key that was just made, and is shown on this page only; null: none.</param>
    public async Task AgencyAsync(HttpContext http, string agency, StewardEntry? entry = null, KeyResult? made = null)
    {
        var (query, display) = Asked(http);
        if (!CatalogIds.IsValid(agency) || await grains.GetGrain<IAgencyGrain>(agency).GetAsync(http.Caller()) is not { } info)
        {
            await PagesExtensions.WriteErrorAsync(http, StatusCodes.Status404NotFound, display.Say($"Die Behörde „{agency}“ gibt es nicht.", $"There is no agency “{agency}”."));
            return;
        }

        var keys = await grains.GetGrain<IAgencyGrain>(agency).ListKeysAsync(http.Caller());
        var may = keys.Refusal == CatalogRefusal.None;
        var ids = may ? await grains.GetGrain<ICatalogGrain>(CatalogKinds.GroupsOf(agency)).ListAsync(http.Caller(), null, 1_000) : [];
        var groups = await Task.WhenAll(ids.Select(id => grains.GetGrain<IGroupGrain>(Subjects.Group(agency, id)).GetAsync(http.Caller())));
        var now = DateTimeOffset.UtcNow;
        var forms = new StewardForms(display, entry, now);
        var offered = may && HasSignedIn(http);
        await WriteAsync(http, query, new(
            display, "/agencies/" + agency, query.LanguageChosen, info.Name.In(display.Language), [(display.Say("Datenräume", "Dataspaces"), "/dataspaces")], null,
            [
                new("keys", display.Say("Schlüssel", "Keys"), keys.Detail?.In(display.Language),
                    [display.Say("Kennung", "Id"), display.Say("Recht", "Right"), display.Say("Enger gefasst auf", "Narrowed to"), display.Say("Gültig", "Valid"), display.Say("Zuletzt benutzt", "Last used")],
                    [.. keys.Keys.OrderByDescending(key => Lives(key, now)).ThenByDescending(key => key.Created).Select(key => new StewardCell[]
                    {
                        new StewardCell(key.Id, null, key.Label), ContractWords.Of(key.Role), ScopeText(key.Scope, display),
                        key.Revoked is { } revoked ? display.Say("zurückgezogen ", "revoked ") + display.Instant(revoked, Zone)
                            : key.Expires is { } expires ? new StewardCell(display.Say("bis ", "until ") + display.Instant(expires, Zone), null, key.ReplacedBy is { } by ? display.Say($"wird abgelöst von {by}", $"being replaced by {by}") : Lives(key, now) ? null : display.Say("abgelaufen", "over"))
                            : display.Say("bis auf Widerruf", "until revoked"),
                        key.LastUsed is { } used ? display.Instant(used, Zone) : display.Say("noch nie", "never"),
                    })],
                    may ? display.Say("Noch kein Schlüssel.", "No key yet.") : null)
                {
                    Forms = offered ? forms.OfKeys(agency, keys.Keys) : [],
                    Secret = made?.Secret,
                    Done = made is { Key: { } key }
                        ? display.Say($"Der neue Schlüssel „{key.Id}“ – jetzt kopieren, er wird nur hier gezeigt und nie wieder:", $"The new key “{key.Id}” – copy it now, it is shown here only and never again:")
                        : forms.Done(http, StewardForms.KeyRevocation),
                },
                new("groups", display.Say("Gruppen und Mitglieder", "Groups and members"), may ? display.Say("Wen der Anmeldedienst einer Gruppe zuordnet, steht hier nicht.", "Whom the sign-in service puts into a group is not listed here.") : keys.Detail?.In(display.Language),
                    [display.Say("Gruppe", "Group"), display.Say("Mitglied", "Member"), display.Say("Aufgenommen", "Taken in"), display.Say("Bis", "Until"), display.Say("Warum", "Why")],
                    [.. groups.Where(group => group.Group is not null).SelectMany(group => Members(group.Group!, display, now))],
                    may ? display.Say("Noch keine Gruppe.", "No group yet.") : null)
                {
                    Forms = offered ? forms.OfGroups(agency, [.. groups.Select(group => group.Group).OfType<GroupInfo>()]) : [],
                    Done = forms.Done(http, StewardForms.NewGroup, StewardForms.Member, StewardForms.Removal),
                },
                new("agreements", display.Say("Vereinbarungen", "Agreements"), display.Say("Was diese Behörde mit anderen über das Teilen von Daten vereinbart hat.", "What this agency has agreed with others on sharing data."), [], [], null)
                {
                    Links = [(display.Say("Vereinbarungen dieser Behörde", "Agreements of this agency"), "/agreements?agency=" + agency)],
                },
            ]), entry?.Status ?? StatusCodes.Status200OK);
    }

    public async Task AuditAsync(HttpContext http)
    {
        var (query, display) = Asked(http);
        var filters = s_filters.Select(name => http.Request.Query[name].ToString() is { Length: > 0 and <= 300 } text ? text : null).ToArray();
        long? after = long.TryParse(http.Request.Query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : null;
        var page = await grains.GetGrain<IAuditGrain>(IAuditGrain.Main).ReadAsync(http.Caller(), new(null, null, filters[0], filters[1], filters[2], filters[3], null, after, PageSize, false));
        var next = page.Next is { } more
            ? "/audit?" + string.Join('&', s_filters.Zip(filters).Where(filter => filter.Second is not null).Select(filter => $"{filter.First}={Uri.EscapeDataString(filter.Second!)}").Append(string.Create(CultureInfo.InvariantCulture, $"after={more}")))
            : null;
        await WriteAsync(http, query, new(
            display, "/audit", query.LanguageChosen, display.Say("Audit-Log", "Audit log"), [],
            display.Say("Was vergeben, freigegeben, gelesen und abgewiesen wurde, neueste zuerst. Jeder Eintrag ist mit dem vorigen verkettet; „silo audit verify“ findet jede Änderung.", "What was given, released, read and refused, newest first. Every entry is chained to the one before; “silo audit verify” finds every change."),
            [
                new("entries", display.Say("Einträge", "Entries"), page.Refusal == ReadRefusal.None ? null : page.Detail?.In(display.Language) ?? display.Say("Das Audit-Log lässt sich gerade nicht lesen.", "The audit log cannot be read at the moment."),
                    [display.Say("Nr.", "No."), display.Say("Zeit", "Time"), display.Say("Was", "What"), display.Say("Woran", "To what"), display.Say("Von wem", "By whom"), display.Say("Näheres", "Details")],
                    [.. page.Records.Select(record => Entry(record, display))],
                    page.Refusal == ReadRefusal.None ? display.Say("Keine Einträge.", "No entries.") : null),
            ])
        {
            Filters =
            [
                ("action", display.Say("Was beginnt mit", "What begins with"), filters[0]), ("agency", display.Say("Behörde", "Agency"), filters[1]), ("actor", display.Say("Von wem", "By whom"), filters[2]), ("object", display.Say("Woran", "To what"), filters[3]),
            ],
            Next = next,
        });
    }

    /// <summary>The hub itself as a dataspace, where those are given roles who administer it; nobody made it, so no list has it.</summary>
    private static StewardCell[] Platform(Display display) =>
        [new StewardCell(display.Say("Verwaltung der Plattform", "Administration of the platform"), "/dataspaces/" + Dataspaces.Platform, Dataspaces.Platform), new StewardCell(Caller.PlatformAgency, "/agencies/" + Caller.PlatformAgency)];

    public static bool HasSignedIn(HttpContext http) => http.Features.Get<SignedIn>() is not null;

    /// <summary>What the reader may do with a dataset, by the grain that decides when it is done.</summary>
    private async Task<AccessRights> RightsAsync(HttpContext http, string dataset)
    {
        var explained = await grains.GetGrain<IDatasetGrain>(dataset).AccessAsync(http.Caller(), http.Caller());
        return explained?.Decisions.Where(decision => decision.IsAllowed).Aggregate(AccessRights.None, (rights, decision) => rights | decision.Right) ?? AccessRights.None;
    }

    private static StewardCell[] Entry(AuditRecord record, Display display)
    {
        var number = record.Sequence.ToString(CultureInfo.InvariantCulture);
        return record.Event is not { } happened
            ? [number, "–", display.Say("Inhalt rechtmäßig gelöscht", "content lawfully deleted"), "–", "–", "–"]
            :
            [
                number, display.Instant(happened.At, Zone), new StewardCell(happened.Action, null, happened.Outcome == AuditOutcome.Refused ? display.Say("abgewiesen", "refused") : null), happened.Object, happened.Actor,
                string.Join(" · ", happened.Detail.Select(detail => $"{detail.Name}: {detail.Text}")),
            ];
    }

    private static IEnumerable<StewardCell[]> Members(GroupInfo group, Display display, DateTimeOffset now)
    {
        var name = new StewardCell(group.Name.In(display.Language), null, group.Id);
        if (group.Members.Length == 0) return [[name, display.Say("niemand", "nobody"), "–", "–", "–"]];
        return group.Members.Select(member => new StewardCell[]
        {
            name, member.Person, new StewardCell(display.Instant(member.At, Zone), null, member.By),
            member.Until is { } until ? new StewardCell(display.Instant(until, Zone), null, member.Holds(now) ? null : display.Say("abgelaufen", "over")) : display.Say("auf Widerruf", "until ended"),
            member.Why,
        });
    }

    private static bool Lives(KeyInfo key, DateTimeOffset now) => key.Revoked is null && (key.Expires is null || now < key.Expires);

    private static string ScopeText(KeyScope? scope, Display display)
    {
        if (scope is null) return display.Say("nichts", "nothing");
        var parts = new List<string>();
        if (scope.Datasets is { } datasets) parts.Add(string.Join(", ", datasets));
        if (scope.Feeds is { } feeds) parts.Add(string.Join(", ", feeds));
        if (scope.Operations is { } operations) parts.Add(string.Join(", ", AccessWords.Rights.Select(AccessWords.Right).OfType<AccessRights>().Where(right => (operations & right) != 0).Select(right => AccessWords.Name(right).In(display.Language))));
        return string.Join(" · ", parts);
    }

    private static (PageQuery Query, Display Display) Asked(HttpContext http)
    {
        var query = PageQuery.Of(http);
        return (query, Display.In(query.Language));
    }

    /// <summary>What is shown depends on who asks: nobody keeps it.</summary>
    public static async Task WriteAsync(PageRenderer pages, HttpContext http, PageQuery query, StewardView view, int status)
    {
        var body = await pages.RenderAsync<StewardPage>(new() { [nameof(StewardPage.View)] = view });
        http.Response.OnStarting(() =>
        {
            http.Response.Headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        await body.WriteAsync(http, status, query.Language);
    }

    private Task WriteAsync(HttpContext http, PageQuery query, StewardView view, int status = StatusCodes.Status200OK) => WriteAsync(pages, http, query, view, status);
}

/// <summary>Registration of the pages.</summary>
internal static class StewardPagesExtensions
{
    public static void AddStewardPages(this IServiceCollection services) => services.AddSingleton<StewardPages>().AddSingleton<StewardActs>();

    /// <summary>Routes <c>/dataspaces</c>, <c>/dataspaces/{dataspace}</c>, <c>/agencies/{agency}</c> and <c>/audit</c>.</summary>
    public static void MapStewardPages(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/dataspaces", (HttpContext http, StewardPages pages) => pages.DataspacesAsync(http)).ExcludeFromDescription();
        routes.MapRead("/dataspaces/{dataspace}", (HttpContext http, string dataspace, StewardPages pages) => pages.DataspaceAsync(http, dataspace)).ExcludeFromDescription();
        routes.MapRead("/agencies/{agency}", (HttpContext http, string agency, StewardPages pages) => pages.AgencyAsync(http, agency)).ExcludeFromDescription();
        routes.MapRead("/audit", (HttpContext http, StewardPages pages) => pages.AuditAsync(http)).ExcludeFromDescription();
        if (routes.ServiceProvider.GetService<SignInCookies>() is not null) routes.MapStewardActs();
    }
}
