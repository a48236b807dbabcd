using System.Globalization;

using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DataHub.Catalog;

/// <summary>
/// Takes the forms of the pages: the same calls of the same grains as the interface's, in the name of whoever has signed
/// in. What is done leads back to the page; what is refused is shown with the reason and what was entered.
/// </summary>
internal sealed class StewardActs(IGrainFactory grains, StewardPages pages)
{
    private static readonly TimeZoneInfo s_zone = TimeZoneInfo.TryFindSystemTimeZoneById(StewardPages.Zone, out var zone) ? zone : TimeZoneInfo.Utc;

    public Task MakeDataspaceAsync(HttpContext http) => ActAsync(http, StewardForms.NewDataspace, entry => pages.DataspacesAsync(http, entry), async fields =>
    {
        var id = fields["id"];
        if (!CatalogIds.IsValid(id)) return Outcome.BadId(id);
        var grain = grains.GetGrain<IDataspaceGrain>(id);
        if (await grain.GetAsync(http.Caller()) is not null) return Outcome.Refused(CatalogRefusal.Conflict, new($"Den Datenraum „{id}“ gibt es schon.", $"There is a dataspace “{id}” already."));
        var result = await grain.PutAsync(http.Caller(), new(fields.Text, null, fields["owner"]));
        return Outcome.Of(result.Refusal, result.Detail, $"/dataspaces/{id}", "roles");
    });

    public Task GrantAsync(HttpContext http, string dataspace) => OnDataspaceAsync(http, dataspace, StewardForms.Grant, "roles", async (grain, fields) =>
    {
        if (!fields.Day("until", out var until)) return Outcome.BadDay(fields["until"]);
        var role = Enum.GetValues<DataspaceRole>().FirstOrDefault(one => one != DataspaceRole.None && ContractWords.Of(one) == fields["role"]);
        var result = await grain.GrantAsync(http.Caller(), new(fields["group"], role, fields.Optional("dataset"), fields["why"], until));
        return (result.Refusal, result.Detail);
    });

    public Task RevokeGrantAsync(HttpContext http, string dataspace) => OnDataspaceAsync(http, dataspace, StewardForms.Revocation, "roles", async (grain, fields) =>
    {
        var result = await grain.RevokeGrantAsync(http.Caller(), fields["grant"], fields["why"]);
        return (result.Refusal, result.Detail);
    });

    public Task MoveAsync(HttpContext http, string dataspace) => OnDataspaceAsync(http, dataspace, StewardForms.State, "datasets", async (_, fields) =>
    {
        var (id, word) = (fields["dataset"], fields["state"]);
        if (!DatasetJson.TryState(word, out var state)) return (CatalogRefusal.Invalid, new($"Den Zustand „{word}“ gibt es nicht.", $"There is no state “{word}”."));
        // A page changes what it shows: datasets of other dataspaces are changed on theirs.
        if (!CatalogIds.IsValid(id) || await grains.GetGrain<IDatasetGrain>(id).GetAsync(http.Caller()) is not { } info || info.Spec.Dataspace != dataspace)
            return (CatalogRefusal.NotFound, new($"Zu diesem Datenraum gehört kein Datensatz „{id}“.", $"No dataset “{id}” belongs to this dataspace."));
        var result = await grains.GetGrain<IDatasetGrain>(id).MoveAsync(http.Caller(), state);
        var (german, english) = (new StewardForms(Display.German, null, default).Lacks(result.Checks), new StewardForms(Display.English, null, default).Lacks(result.Checks));
        return (result.Refusal, german is null ? result.Detail : new($"{result.Detail?.De} {german}", $"{result.Detail?.In(Language.English)} {english}"));
    });

    public Task MakeKeyAsync(HttpContext http, string agency) => OnAgencyAsync(http, agency, StewardForms.NewKey, "keys", async (grain, fields) =>
    {
        if (!fields.Day("expires", out var expires)) return Outcome.Bad(Outcome.BadDay(fields["expires"]));
        var role = Enum.GetValues<KeyRole>().FirstOrDefault(one => one != KeyRole.None && ContractWords.Of(one) == fields["role"]);
        return Outcome.Key(await grain.MakeKeyAsync(http.Caller(), new(role, fields.Optional("label"), null, expires)));
    });

    public Task RotateKeyAsync(HttpContext http, string agency) => OnAgencyAsync(http, agency, StewardForms.Rotation, "keys", async (grain, fields) =>
    {
        if (!fields.Day("expires", out var expires)) return Outcome.Bad(Outcome.BadDay(fields["expires"]));
        return int.TryParse(fields["overlap"], NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days <= 366
            ? Outcome.Key(await grain.RotateKeyAsync(http.Caller(), fields["key"], TimeSpan.FromDays(days), expires))
            : Outcome.Refused(CatalogRefusal.Invalid, new("Der alte Schlüssel gilt noch 0 bis 366 Tage.", "The old key is valid for 0 to 366 days."));
    });

    public Task RevokeKeyAsync(HttpContext http, string agency) => OnAgencyAsync(http, agency, StewardForms.KeyRevocation, "keys", async (grain, fields) =>
    {
        var result = await grain.RevokeKeyAsync(http.Caller(), fields["key"]);
        return Outcome.Of(result.Refusal, result.Detail, "/agencies/" + agency, "keys");
    });

    public Task MakeGroupAsync(HttpContext http, string agency) => OnAgencyAsync(http, agency, StewardForms.NewGroup, "groups", async (_, fields) =>
    {
        if (!CatalogIds.IsValid(fields["id"])) return Outcome.BadId(fields["id"]);
        var id = Subjects.Group(agency, fields["id"]);
        var grain = grains.GetGrain<IGroupGrain>(id);
        if ((await grain.GetAsync(http.Caller())).Refusal == CatalogRefusal.None) return Outcome.Refused(CatalogRefusal.Conflict, new($"Die Gruppe „{id}“ gibt es schon.", $"There is a group “{id}” already."));
        var result = await grain.PutAsync(http.Caller(), fields.Text);
        return Outcome.Of(result.Refusal, result.Detail, "/agencies/" + agency, "groups");
    });

    public Task AddMemberAsync(HttpContext http, string agency) => OnAgencyAsync(http, agency, StewardForms.Member, "groups", async (_, fields) =>
    {
        if (!fields.Day("until", out var until)) return Outcome.Bad(Outcome.BadDay(fields["until"]));
        if (Group(agency, fields["group"]) is not { } grain) return Outcome.NoGroup(fields["group"]);
        var result = await grain.AddMemberAsync(http.Caller(), fields["person"], fields["why"], until);
        return Outcome.Of(result.Refusal, result.Detail, "/agencies/" + agency, "groups");
    });

    public Task RemoveMemberAsync(HttpContext http, string agency) => OnAgencyAsync(http, agency, StewardForms.Removal, "groups", async (_, fields) =>
    {
        // The group has no space in it; a person may.
        var (group, person) = fields["member"].Split(' ', 2) is [var first, var second] ? (first, second) : ("", "");
        if (Group(agency, group) is not { } grain) return Outcome.NoGroup(group);
        var result = await grain.RemoveMemberAsync(http.Caller(), person);
        return Outcome.Of(result.Refusal, result.Detail, "/agencies/" + agency, "groups");
    });

    /// <summary>A group of the agency; null where the text is none.</summary>
    private IGroupGrain? Group(string agency, string group) => Subjects.IsGroup(group) && Subjects.AgencyOf(group) == agency ? grains.GetGrain<IGroupGrain>(group) : null;

    private Task OnDataspaceAsync(HttpContext http, string dataspace, string form, string section, Func<IDataspaceGrain, Fields, Task<(CatalogRefusal, LocalText?)>> act) =>
        ActAsync(http, form, entry => pages.DataspaceAsync(http, dataspace, entry), async fields =>
        {
            if (!CatalogIds.IsValid(dataspace)) return Outcome.Refused(CatalogRefusal.NotFound, null);
            var (refusal, detail) = await act(grains.GetGrain<IDataspaceGrain>(dataspace), fields);
            return Outcome.Of(refusal, detail, "/dataspaces/" + dataspace, section);
        });

    private Task OnAgencyAsync(HttpContext http, string agency, string form, string section, Func<IAgencyGrain, Fields, Task<Outcome>> act) =>
        ActAsync(http, form, entry => pages.AgencyAsync(http, agency, entry), async fields =>
        {
            if (!CatalogIds.IsValid(agency)) return Outcome.Refused(CatalogRefusal.NotFound, null);
            var outcome = await act(grains.GetGrain<IAgencyGrain>(agency), fields);
            if (outcome.Made is { } made) await pages.AgencyAsync(http, agency, null, made);
            return outcome;
        });

    private static Task ActAsync(HttpContext http, string form, Func<StewardEntry, Task> again, Func<Fields, Task<Outcome>> act) => ActAsync(http, _ => form, again, act);

    /// <summary>Takes a form: what every form of the pages passes, whatever it is for.</summary>
    /// <param name="form">Which form was sent.</param>
    /// <param name="again">Writes the page with what was refused.</param>
    /// <param name="act">Does what the form is for.</param>
    /// <param name="size">What is taken at most; null: a small form.</param>
    public static async Task ActAsync(HttpContext http, Func<Fields, string> form, Func<StewardEntry, Task> again, Func<Fields, Task<Outcome>> act, FormSize? size = null)
    {
        http.Response.Headers.CacheControl = "no-store";
        var query = PageQuery.Of(http);
        if (http.Features.Get<SignedIn>() is null)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            await PagesExtensions.WriteErrorAsync(http, StatusCodes.Status401Unauthorized, Display.In(query.Language).Say(
                "Dazu muss man angemeldet sein. Die Anmeldung ist vielleicht abgelaufen: oben anmelden, dann noch einmal senden. Programme benutzen die Schnittstelle unter /api/v1.",
                "For this one has to be signed in. Perhaps the sign-in is over: sign in above, then send again. Programs use the interface at /api/v1."));
            return;
        }

        var (values, unreadable) = await http.ReadFieldsAsync(size);
        if (values is null)
        {
            await unreadable!.ExecuteAsync(http);
            return;
        }

        var fields = new Fields(values);
        var outcome = await act(fields);
        if (outcome.Fault is { } fault)
        {
            await again(new("form-" + form(fields), values, fault.In(query.Language), outcome.Status) { Faults = outcome.Faults.ToDictionary(one => one.Key, one => one.Value.In(query.Language), StringComparer.Ordinal) });
        }
        else if (outcome.Made is null)
        {
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = $"{outcome.Path}?done={form(fields)}{(query.LanguageChosen ? "&lang=" + query.Language : "")}#{outcome.Section}";
        }
    }

    /// <summary>What was entered, without spaces around it.</summary>
    internal sealed class Fields(IFormCollection values)
    {
        /// <summary>As it was sent.</summary>
        public IFormCollection All => values;

        public string this[string name] => values[name].ToString().Trim();

        /// <summary>A name in both languages.</summary>
        public LocalText Text => new(this["de"], Optional("en"));

        public string? Optional(string name) => this[name] is { Length: > 0 } text ? text : null;

        /// <summary>The end of a day by the clock of <see cref="StewardPages.Zone"/>; null where nothing was entered.</summary>
        /// <returns>False where it is no day.</returns>
        public bool Day(string name, out DateTimeOffset? end)
        {
            end = null;
            if (Optional(name) is not { } text) return true;
            if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) || day == DateOnly.MaxValue) return false;
            var midnight = day.AddDays(1).ToDateTime(TimeOnly.MinValue);
            end = new DateTimeOffset(midnight, s_zone.GetUtcOffset(midnight)).ToUniversalTime();
            return true;
        }
    }

    /// <summary>What became of a form.</summary>
    /// <param name="Fault">Why it was refused; null: it was not.</param>
    /// <param name="Path">Where the reader is sent then.</param>
    internal sealed record Outcome(LocalText? Fault, int Status, string? Path, string? Section)
    {
        /// <summary>A key that is shown once.</summary>
        public KeyResult? Made { get; init; }

        /// <summary>Why single fields were refused, by their names.</summary>
        public IReadOnlyDictionary<string, LocalText> Faults { get; init; } = new Dictionary<string, LocalText>();

        public static Outcome Of(CatalogRefusal refusal, LocalText? detail, string path, string section) => refusal == CatalogRefusal.None ? new(null, StatusCodes.Status303SeeOther, path, section) : Refused(refusal, detail);

        public static Outcome Key(KeyResult result) => result.Refusal == CatalogRefusal.None ? new(null, StatusCodes.Status200OK, null, null) { Made = result } : Refused(result.Refusal, result.Detail);

        public static Outcome Refused(CatalogRefusal refusal, LocalText? detail) => new(detail ?? new("Das ging nicht.", "That was not possible."), refusal switch
        {
            CatalogRefusal.Forbidden => StatusCodes.Status403Forbidden,
            CatalogRefusal.NotFound => StatusCodes.Status404NotFound,
            CatalogRefusal.Conflict => StatusCodes.Status409Conflict,
            CatalogRefusal.Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status422UnprocessableEntity,
        }, null, null);

        public static Outcome Bad((CatalogRefusal Refusal, LocalText Detail) refused) => Refused(refused.Refusal, refused.Detail);

        public static (CatalogRefusal, LocalText) BadDay(string text) => (CatalogRefusal.Invalid, new($"„{text}“ ist kein Tag der Form 2027-12-31.", $"“{text}” is no day of the form 2027-12-31."));

        public static Outcome BadId(string id) => Refused(CatalogRefusal.Invalid, new($"Die Kennung „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"The id “{id}” does not match {CatalogIds.Pattern}."));

        public static Outcome NoGroup(string group) => Refused(CatalogRefusal.NotFound, new($"Die Gruppe „{group}“ gehört nicht zu dieser Behörde.", $"The group “{group}” does not belong to this agency."));
    }
}

/// <summary>Where the forms are sent to.</summary>
internal static class StewardActsExtensions
{
    /// <summary>Routes of the forms of the pages; they are there where people sign in on pages.</summary>
    public static void MapStewardActs(this IEndpointRouteBuilder routes)
    {
        Map("/dataspaces", (http, acts) => acts.MakeDataspaceAsync(http));
        Map("/dataspaces/{dataspace}/" + StewardForms.Grant, (http, acts) => acts.GrantAsync(http, Id(http, "dataspace")));
        Map("/dataspaces/{dataspace}/" + StewardForms.Revocation, (http, acts) => acts.RevokeGrantAsync(http, Id(http, "dataspace")));
        Map("/dataspaces/{dataspace}/" + StewardForms.State, (http, acts) => acts.MoveAsync(http, Id(http, "dataspace")));
        Map("/agencies/{agency}/" + StewardForms.NewKey, (http, acts) => acts.MakeKeyAsync(http, Id(http, "agency")));
        Map("/agencies/{agency}/" + StewardForms.Rotation, (http, acts) => acts.RotateKeyAsync(http, Id(http, "agency")));
        Map("/agencies/{agency}/" + StewardForms.KeyRevocation, (http, acts) => acts.RevokeKeyAsync(http, Id(http, "agency")));
        Map("/agencies/{agency}/" + StewardForms.NewGroup, (http, acts) => acts.MakeGroupAsync(http, Id(http, "agency")));
        Map("/agencies/{agency}/" + StewardForms.Member, (http, acts) => acts.AddMemberAsync(http, Id(http, "agency")));
        Map("/agencies/{agency}/" + StewardForms.Removal, (http, acts) => acts.RemoveMemberAsync(http, Id(http, "agency")));

        void Map(string pattern, Func<HttpContext, StewardActs, Task> act) => routes.MapPost(pattern, (HttpContext http, StewardActs acts) => act(http, acts)).ExcludeFromDescription();

        static string Id(HttpContext http, string name) => (string)http.Request.RouteValues[name]!;
    }
}
