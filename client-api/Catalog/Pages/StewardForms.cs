using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Catalog;

/// <summary>
/// The forms of the pages for those who look after data: whoever has signed in sees those that they may use. Who may is
/// the grains' to say; a form that is sent nevertheless is refused by them. Pure.
/// </summary>
/// <param name="display">Language and forms.</param>
/// <param name="entry">What was entered and refused; null: nothing.</param>
/// <param name="now">For what is over.</param>
internal sealed class StewardForms(Display display, StewardEntry? entry, DateTimeOffset now)
{
    /// <summary>Ids of the forms, which are also the last part of where they are sent to.</summary>
    public const string NewDataspace = "new-dataspace", Grant = "grants", Revocation = "revocations", State = "states",
        NewKey = "keys", Rotation = "rotations", KeyRevocation = "key-revocations", NewGroup = "groups", Member = "members", Removal = "removals";

    /// <summary>Longest reasons, names and labels.</summary>
    private const int MaxText = 200;

    private static readonly DataspaceRole[] s_roles = [.. Enum.GetValues<DataspaceRole>().Where(role => role is not (DataspaceRole.None or DataspaceRole.Administrator))];

    private static readonly ReleaseState[] s_states = [ReleaseState.Ready, ReleaseState.Available, ReleaseState.Retired, ReleaseState.Draft];

    private static readonly KeyRole[] s_keys = [KeyRole.Read, KeyRole.Push, KeyRole.Admin];

    /// <summary>Days for which a key that is replaced may live on; the first is proposed.</summary>
    private static readonly int[] s_overlaps = [7, 0, 1, 30];

    /// <summary>What has been done, by the word in the address that the reader is sent to.</summary>
    public string? Done(HttpContext http, params string[] words)
    {
        var word = http.Request.Query["done"].ToString();
        return !words.Contains(word, StringComparer.Ordinal) ? null : word switch
        {
            NewDataspace => display.Say("Der Datenraum ist angelegt. Jetzt lassen sich hier Rollen vergeben.", "The dataspace is made. Roles can be given here now."),
            Grant => display.Say("Die Rolle ist vergeben.", "The role is given."),
            Revocation => display.Say("Die Rolle ist entzogen; das gilt innerhalb einer Sekunde überall.", "The role is revoked; that holds everywhere within a second."),
            State => display.Say("Der Zustand ist geändert.", "The state is changed."),
            KeyRevocation => display.Say("Der Schlüssel ist zurückgezogen; das gilt innerhalb einer Sekunde überall.", "The key is revoked; that holds everywhere within a second."),
            NewGroup => display.Say("Die Gruppe ist angelegt.", "The group is made."),
            Member => display.Say("Die Person ist aufgenommen.", "The person is taken in."),
            Removal => display.Say("Die Mitgliedschaft ist beendet; das gilt innerhalb einer Sekunde überall.", "The membership is ended; that holds everywhere within a second."),
            _ => null,
        };
    }

    /// <param name="agencies">Ids of those that can be the owner.</param>
    public StewardForm[] OfDataspaces(string[] agencies) =>
    [
        Form(NewDataspace, display.Say("Datenraum anlegen", "Make a dataspace"), "/dataspaces", display.Say("Anlegen", "Make"),
            [Id(), Title("de"), Title("en"), Choice("owner", display.Say("Trägerin", "Owner"), agencies.Select(id => (id, id)))]),
    ];

    /// <param name="datasets">Of the dataspace, with what the reader may do with each.</param>
    /// <param name="whole">Whether the reader gives roles for all of it.</param>
    public StewardForm[] OfRoles(DataspaceInfo info, (DatasetInfo Info, AccessRights Rights)[] datasets, GrantInfo[] grants, bool whole)
    {
        var reach = datasets.Where(one => whole || (one.Rights & AccessRights.Grant) != 0).Select(one => one.Info).ToArray();
        if (!whole && reach.Length == 0) return [];
        var path = "/dataspaces/" + info.Id;
        var roles = info.Id == Dataspaces.Platform ? [DataspaceRole.Administrator] : s_roles;
        var forms = new List<StewardForm>
        {
            Form(Grant, display.Say("Rolle vergeben", "Give a role"), path + "/" + Grant, display.Say("Vergeben", "Give"),
            [
                new("group", display.Say("Gruppe", "Group"))
                {
                    Required = true,
                    Hint = display.Say("Behörde/Gruppe, etwa umweltamt/auswertung", "agency/group, such as umweltamt/analysis"),
                    Options = [.. grants.Select(grant => grant.Group).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(group => (group, group))],
                },
                Choice("role", display.Say("Rolle", "Role"), roles.Select(role => (ContractWords.Of(role), AccessWords.Name(role).In(display.Language)))),
                Choice("dataset", display.Say("Gilt für", "Holds for"),
                    (whole ? [("", display.Say("den ganzen Datenraum", "the whole dataspace"))] : Array.Empty<(string, string)>()).Concat(reach.Select(dataset => (dataset.Id, $"{dataset.Spec.Title.In(display.Language)} ({dataset.Id})"))), required: false),
                Day("until"), Why(),
            ]),
        };
        var living = grants.Where(grant => grant.Holds(now)).OrderByDescending(grant => grant.At).ToArray();
        if (living.Length > 0)
        {
            forms.Add(Form(Revocation, display.Say("Rolle entziehen", "Revoke a role"), path + "/" + Revocation, display.Say("Entziehen", "Revoke"),
            [
                Choice("grant", display.Say("Rolle", "Role"), living.Select(grant => (grant.Id, $"{grant.Group}: {AccessWords.Name(grant.Role).In(display.Language)}{(grant.Dataset is { } dataset ? $" ({dataset})" : "")}"))), Why(),
            ]));
        }

        return [.. forms];
    }

    /// <param name="datasets">Of the dataspace, with what the reader may do with each.</param>
    public StewardForm[] OfDatasets(string dataspace, (DatasetInfo Info, AccessRights Rights)[] datasets)
    {
        var moved = datasets.Where(one => (one.Rights & (AccessRights.Release | AccessRights.EditMetadata | AccessRights.EditDefinitions)) != 0).Select(one => one.Info).ToArray();
        return moved.Length == 0 ? [] :
        [
            Form(State, display.Say("Zustand ändern", "Change the state"), $"/dataspaces/{dataspace}/{State}", display.Say("Ändern", "Change"),
            [
                Choice("dataset", display.Say("Datensatz", "Dataset"), moved.Select(dataset => (dataset.Id, $"{dataset.Spec.Title.In(display.Language)} ({dataset.Id}): {AccessWords.Name(dataset.State).In(display.Language)}"))),
                Choice("state", display.Say("Neuer Zustand", "New state"), s_states.Select(state => (AccessWords.Of(state), $"{AccessWords.Name(state).In(display.Language)} ({AccessWords.Of(state)})"))),
            ]) with
            {
                Note = display.Say("Personenbezogene Daten gibt eine andere Person frei als die, die sie für fertig erklärt hat.", "Personal data is released by another person than the one who declared it ready."),
            },
        ];
    }

    /// <summary>What a dataset lacks before it may be released; null: nothing.</summary>
    public string? Lacks(IEnumerable<ReleaseCheck> checks)
    {
        var missing = checks.Where(check => check is { Required: true, Fulfilled: false }).Select(check => check.Text.In(display.Language)).ToArray();
        return missing.Length == 0 ? null : display.Say("Es fehlt: ", "Missing: ") + string.Join("; ", missing) + ".";
    }

    public StewardForm[] OfKeys(string agency, KeyInfo[] keys)
    {
        var path = "/agencies/" + agency;
        var living = keys.Where(key => key.Revoked is null && (key.Expires is null || now < key.Expires)).OrderByDescending(key => key.Created).ToArray();
        var forms = new List<StewardForm>
        {
            Form(NewKey, display.Say("Schlüssel machen", "Make a key"), path + "/" + NewKey, display.Say("Machen", "Make"),
            [
                Choice("role", display.Say("Recht", "Right"), s_keys.Select(role => (ContractWords.Of(role), ContractWords.Of(role)))),
                new("label", display.Say("Wofür", "What for")) { MaxLength = MaxText }, Day("expires"),
            ]) with
            {
                Note = display.Say("Der Schlüssel wird auf der nächsten Seite einmal gezeigt und nie wieder. Enger fassen lässt er sich über die Schnittstelle (scope).", "The key is shown once on the next page and never again. The interface can narrow it (scope)."),
            },
        };
        if (living.Where(key => key.ReplacedBy is null).ToArray() is { Length: > 0 } rotatable)
        {
            forms.Add(Form(Rotation, display.Say("Schlüssel ablösen", "Replace a key"), path + "/" + Rotation, display.Say("Ablösen", "Replace"),
            [
                Choice("key", display.Say("Schlüssel", "Key"), rotatable.Select(Option)),
                Choice("overlap", display.Say("Der alte gilt noch", "The old one is valid for"), s_overlaps.Select(days => (days.ToString(System.Globalization.CultureInfo.InvariantCulture), days switch { 0 => display.Say("gar nicht mehr", "no time"), 1 => display.Say("1 Tag", "1 day"), _ => display.Say($"{days} Tage", $"{days} days") }))),
                Day("expires"),
            ]));
        }

        if (living.Length > 0) forms.Add(Form(KeyRevocation, display.Say("Schlüssel zurückziehen", "Revoke a key"), path + "/" + KeyRevocation, display.Say("Zurückziehen", "Revoke"), [Choice("key", display.Say("Schlüssel", "Key"), living.Select(Option))]));
        return [.. forms];

        static (string, string) Option(KeyInfo key) => (key.Id, $"{key.Id} · {ContractWords.Of(key.Role)}{(key.Label is { Length: > 0 } label ? $" · {label}" : "")}");
    }

    public StewardForm[] OfGroups(string agency, GroupInfo[] groups)
    {
        var path = "/agencies/" + agency;
        var forms = new List<StewardForm>
        {
            Form(NewGroup, display.Say("Gruppe anlegen", "Make a group"), path + "/" + NewGroup, display.Say("Anlegen", "Make"), [Id(), Title("de"), Title("en")]),
        };
        if (groups.Length > 0)
        {
            forms.Add(Form(Member, display.Say("Person aufnehmen", "Take a person in"), path + "/" + Member, display.Say("Aufnehmen", "Take in"),
            [
                Choice("group", display.Say("Gruppe", "Group"), groups.Select(group => (group.Id, $"{group.Name.In(display.Language)} ({group.Id})"))),
                new("person", display.Say("Person", "Person")) { Required = true, MaxLength = Subjects.MaxLength, Hint = display.Say("Aussteller:Kennung; die eigene steht unter /api/v1/me als subject nach „person:“", "issuer:subject; one's own stands in /api/v1/me as subject after “person:”") },
                Day("until"), Why(),
            ]));
        }

        if (groups.Any(group => group.Members.Length > 0))
        {
            forms.Add(Form(Removal, display.Say("Mitgliedschaft beenden", "End a membership"), path + "/" + Removal, display.Say("Beenden", "End"),
                [Choice("member", display.Say("Mitglied", "Member"), groups.SelectMany(group => group.Members.Select(member => ($"{group.Id} {member.Person}", $"{member.Person}: {group.Name.In(display.Language)}"))))]));
        }

        return [.. forms];
    }

    private StewardForm Form(string id, string heading, string action, string button, StewardField[] fields) => new StewardForm("form-" + id, heading, action, button, [], fields).With(entry);

    private StewardField Id() => new("id", display.Say("Kennung", "Id"))
    {
        Required = true,
        MaxLength = CatalogIds.MaxLength,
        Hint = display.Say($"höchstens {CatalogIds.MaxLength} Kleinbuchstaben (a–z), Ziffern und Bindestriche; bleibt für immer", $"at most {CatalogIds.MaxLength} small letters (a–z), digits and hyphens; stays for ever"),
    };

    private StewardField Title(string language) => language == "de"
        ? new("de", display.Say("Name auf Deutsch", "Name in German")) { Required = true, MaxLength = MaxText }
        : new("en", display.Say("Name auf Englisch", "Name in English")) { MaxLength = MaxText };

    private static StewardField Choice(string name, string label, IEnumerable<(string, string)> options, bool required = true) => new(name, label, StewardFieldKind.Choice) { Required = required, Options = [.. options] };

    private StewardField Day(string name) => new(name, display.Say("Bis einschließlich", "Until and including"), StewardFieldKind.Day) { Hint = display.Say("leer: bis auf Widerruf", "empty: until revoked") };

    private StewardField Why() => new("why", display.Say("Warum", "Why")) { Required = true, MaxLength = MaxText };
}
