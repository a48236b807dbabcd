using DataHub.Support;

namespace DataHub.Catalog;

/// <summary>The rules that decide and explain, held to what the vocabulary of roles says.</summary>
public sealed class AccessRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 27, 8, 0, 0, TimeSpan.Zero);
    private static readonly Holding s_air = new("air", "umwelt", "senumvk", AccessClass.Internal);

    [Theory]
    [InlineData(DataspaceRole.Reader, "read-metadata read-rows")]
    [InlineData(DataspaceRole.Editor, "read-metadata edit-metadata")]
    [InlineData(DataspaceRole.Developer, "read-metadata read-rows read-receipts push edit-definitions")]
    [InlineData(DataspaceRole.Coordinator, "read-metadata read-rows read-receipts edit-metadata release erase grant")]
    [InlineData(DataspaceRole.Releaser, "read-metadata read-rows release")]
    public void A_role_gives_its_rights_in_its_dataspace_and_nowhere_else(DataspaceRole role, string rights)
    {
        var holder = Person(new HeldGrant("g", role, "umwelt", null, "senumvk/a"));
        var expected = rights.Split(' ');
        foreach (var right in AccessRules.Each)
        {
            Assert.Equal(expected.Contains(AccessWords.Of(right)), AccessRules.May(holder, right, s_air));
            Assert.Equal(right == AccessRights.ReadMetadata, AccessRules.May(holder, right, s_air with { Dataspace = "other" }));
            Assert.Equal(right == AccessRights.ReadMetadata, AccessRules.May(holder, right, s_air with { Dataspace = null }));
        }
    }

    [Fact]
    public void A_role_for_one_dataset_reaches_neither_its_neighbours_nor_the_dataspace()
    {
        var holder = Person(new HeldGrant("g", DataspaceRole.Coordinator, "umwelt", "air", "senumvk/a"));
        Assert.True(AccessRules.May(holder, AccessRights.ReadRows, s_air));
        Assert.False(AccessRules.May(holder, AccessRights.ReadRows, s_air with { Dataset = "water" }));
        Assert.False(AccessRules.May(holder, AccessRights.Grant, s_air with { Dataset = null }));
    }

    [Fact]
    public void What_is_not_available_is_open_to_nobody()
    {
        foreach (var state in new[] { ReleaseState.Draft, ReleaseState.Ready, ReleaseState.Retired })
        {
            var closed = s_air with { Access = AccessClass.Open, State = state };
            Assert.All(AccessRules.Each, right => Assert.False(AccessRules.May(Caller.Public, right, closed)));
            Assert.True(AccessRules.May(new("senumvk", KeyRole.Read, "k"), AccessRights.ReadRows, closed));
        }

        Assert.True(AccessRules.May(Caller.Public, AccessRights.ReadRows, s_air with { Access = AccessClass.Open }));
    }

    [Fact]
    public void A_key_that_is_narrowed_does_what_it_names_only()
    {
        var key = new Caller("senumvk", KeyRole.Admin, "k");
        var pushes = key with { Scope = new(AccessRights.Push | AccessRights.ReadReceipts, null, ["air/north"]) };
        Assert.True(AccessRules.May(pushes, AccessRights.Push, s_air, "north"));
        Assert.False(AccessRules.May(pushes, AccessRights.Push, s_air, "south"));
        Assert.True(AccessRules.May(pushes, AccessRights.ReadReceipts, s_air));
        Assert.False(AccessRules.May(pushes, AccessRights.ReadRows, s_air));
        Assert.False(AccessRules.May(pushes, AccessRights.ManageAgency, Holding.OfAgency("senumvk")));

        var one = key with { Scope = new(null, ["air"], null) };
        Assert.True(AccessRules.May(one, AccessRights.Erase, s_air));
        Assert.False(AccessRules.May(one, AccessRights.Erase, s_air with { Dataset = "water" }));

        // A scope narrows and never adds.
        var reads = new Caller("senumvk", KeyRole.Read, "k") { Scope = new(AccessRights.Push, null, null) };
        Assert.False(AccessRules.May(reads, AccessRights.Push, s_air, "north"));
        Assert.False((new Caller(Caller.PlatformAgency, KeyRole.Admin, "k") { Scope = new(AccessRights.Push, null, null) }).IsPlatformAdmin);
    }

    [Fact]
    public void A_decision_says_through_what_it_is_allowed_or_what_is_missing()
    {
        var reader = Person(new HeldGrant("01G", DataspaceRole.Reader, "umwelt", null, "senumvk/a"));
        Assert.Equal((AccessReason.Grant, "01G"), (AccessRules.Decide(reader, AccessRights.ReadRows, s_air).Because, AccessRules.Decide(reader, AccessRights.ReadRows, s_air).Reference));
        Assert.Equal(AccessReason.Openness, AccessRules.Decide(Caller.Public, AccessRights.ReadMetadata, s_air).Because);
        Assert.Equal(
            "Nötig ist ein Lese- oder Admin-Schlüssel von „senumvk“ oder der Plattform, oder im Datenraum „umwelt“ die Rolle Lesen, Entwicklung, Koordination oder Freigabe.",
            AccessRules.Decide(Caller.Public, AccessRights.ReadRows, s_air).Missing!.De);
        Assert.Equal(
            "An admin key of “senumvk” or of the platform is needed, or in the dataspace “umwelt” the role coordinator.",
            AccessRules.Decide(reader, AccessRights.Erase, s_air).Missing!.En);
    }

    [Fact]
    public void A_complete_dataset_becomes_available_at_once_if_its_maker_may_release_it()
    {
        Assert.Equal(ReleaseState.Available, Put(Spec(), Admin("a")).Result.Dataset!.State);
        Assert.Equal(ReleaseState.Draft, Put(Spec() with { License = null }, Admin("a")).Result.Dataset!.State);
        Assert.Equal(ReleaseState.Draft, Put(Spec() with { Wanted = ReleaseState.Draft }, Admin("a")).Result.Dataset!.State);

        // Whoever develops in a dataspace makes datasets there, and does not release them.
        var developer = Person(new HeldGrant("g", DataspaceRole.Developer, "umwelt", null, "senumvk/a"));
        Assert.Equal(ReleaseState.Ready, Put(Spec() with { Dataspace = "umwelt" }, developer).Result.Dataset!.State);
        Assert.Equal(CatalogRefusal.Forbidden, Put(Spec() with { Dataspace = "umwelt", Wanted = ReleaseState.Available }, developer).Result.Refusal);
        Assert.Equal(CatalogRefusal.Forbidden, Put(Spec(), developer).Result.Refusal);
    }

    [Fact]
    public void A_step_that_lacks_something_is_refused_with_the_checklist_and_changes_nothing()
    {
        var (state, _) = Put(Spec() with { License = null }, Admin("a"));
        var (after, result) = DatasetRules.Move(state, "air", Admin("a"), ReleaseState.Available, s_now);
        Assert.Same(state, after);
        Assert.Equal(CatalogRefusal.Conflict, result.Refusal);
        Assert.Equal("license", Assert.Single(result.Checks, check => check is { Required: true, Fulfilled: false }).Code);
        Assert.Contains("Lizenz", result.Detail!.De, StringComparison.Ordinal);
    }

    [Fact]
    public void Personal_data_is_declared_ready_by_one_and_released_by_another()
    {
        var (state, made) = Put(Personal(), Admin("a"));
        Assert.Equal(ReleaseState.Ready, made.Dataset!.State);
        Assert.Equal(CatalogRefusal.Conflict, DatasetRules.Move(state, "air", Admin("a"), ReleaseState.Available, s_now).Result.Refusal);
        var (released, second) = DatasetRules.Move(state, "air", Admin("b"), ReleaseState.Available, s_now);
        Assert.Equal((CatalogRefusal.None, ReleaseState.Available), (second.Refusal, released.Info!.State));
        Assert.Equal(("key:senumvk.a", "key:senumvk.b"), (released.Info.Release!.ReadyBy, released.Info.Release.ReleasedBy));

        // Neither without a legal basis, nor past ready, nor by opening what two released for few.
        Assert.Equal(ReleaseState.Draft, Put(Personal() with { LegalBasis = null }, Admin("a")).Result.Dataset!.State);
        var (draft, _) = DatasetRules.Move(released, "air", Admin("a"), ReleaseState.Draft, s_now);
        Assert.Equal(CatalogRefusal.Conflict, DatasetRules.Move(draft, "air", Admin("b"), ReleaseState.Available, s_now).Result.Refusal);
        var (few, _) = Put(Personal() with { Access = AccessClass.Internal }, Admin("a"));
        (few, _) = DatasetRules.Move(few, "air", Admin("b"), ReleaseState.Available, s_now);
        Assert.Equal(CatalogRefusal.Conflict, Put(Personal(), Admin("b"), few).Result.Refusal);
    }

    [Fact]
    public void Whoever_changes_what_was_declared_ready_does_not_release_it_alone()
    {
        var (ready, _) = Put(Personal() with { Access = AccessClass.Internal }, Admin("a"));
        var (opened, result) = Put(Personal(), Admin("b"), ready);
        Assert.Equal((CatalogRefusal.None, "key:senumvk.b"), (result.Refusal, opened.Info!.Release!.ReadyBy));
        Assert.Equal(CatalogRefusal.Conflict, DatasetRules.Move(opened, "air", Admin("b"), ReleaseState.Available, s_now).Result.Refusal);
        Assert.Equal(CatalogRefusal.Conflict, Put(Personal() with { Wanted = ReleaseState.Available }, Admin("b"), ready).Result.Refusal);
        Assert.Equal(CatalogRefusal.None, DatasetRules.Move(opened, "air", Admin("a"), ReleaseState.Available, s_now).Result.Refusal);
    }

    [Fact]
    public void A_narrowed_key_gives_out_no_wider_one_and_does_not_get_at_one_by_a_rotation()
    {
        var narrow = Admin("n") with { Scope = new(AccessRights.ManageAgency | AccessRights.Push, null, null) };
        var state = new AgencyState(new("Umwelt", null), [new("k1", [1], KeyRole.Admin, null, s_now, null)]);
        foreach (var (role, scope, expected) in new[]
        {
            (KeyRole.Admin, null, CatalogRefusal.Forbidden), (KeyRole.Push, null, CatalogRefusal.Forbidden), (KeyRole.Push, new KeyScope(AccessRights.Push, null, null), CatalogRefusal.None),
            (KeyRole.Admin, new KeyScope(AccessRights.ManageAgency, null, null), CatalogRefusal.None), (KeyRole.Admin, new KeyScope(AccessRights.Erase, null, null), CatalogRefusal.Forbidden),
        })
        {
            Assert.Equal(expected, AgencyRules.AddKey(state, "senumvk", narrow, new("k2", [2], role, null, s_now, null) { Scope = scope }, 10).Refusal);
        }

        Assert.Equal(CatalogRefusal.Forbidden, AgencyRules.Rotate(state, "senumvk", narrow, "k1", new("k2", [2], KeyRole.None, null, s_now, null), TimeSpan.Zero, 10).Refusal);
    }

    [Fact]
    public void A_draft_is_explained_to_those_alone_who_may_know_of_it()
    {
        var draft = s_air with { Access = AccessClass.Open, State = ReleaseState.Draft };
        Assert.Null(AccessRules.Explain(Caller.Public, Caller.Public, draft));
        Assert.Null(AccessRules.Explain(Person(), Caller.Public, draft));
        Assert.NotNull(AccessRules.Explain(Admin("a"), Caller.Public, draft));
        Assert.NotNull(AccessRules.Explain(Caller.Public, Caller.Public, s_air));
    }

    [Fact]
    public void Each_change_of_a_dataset_needs_its_own_right()
    {
        var (state, _) = Put(Spec() with { Dataspace = "umwelt" }, Admin("a"));
        var titled = Spec() with { Dataspace = "umwelt", Title = new("Luft", null) };
        var closed = Spec() with { Dataspace = "umwelt", Access = AccessClass.Internal };
        var moved = Spec();
        var grown = Spec() with { Dataspace = "umwelt", Schema = Spec().Schema with { Fields = [.. Spec().Schema.Fields, Contracts.Field("pm10", FieldType.Number)] } };
        var may = new Dictionary<DataspaceRole, DatasetSpec[]>
        {
            [DataspaceRole.Reader] = [],
            [DataspaceRole.Editor] = [titled],
            [DataspaceRole.Developer] = [grown],
            [DataspaceRole.Coordinator] = [titled, closed, moved],
            [DataspaceRole.Releaser] = [closed],
        };
        foreach (var (role, allowed) in may)
        {
            var holder = Person(new HeldGrant("g", role, "umwelt", null, "senumvk/a"));
            foreach (var change in new[] { titled, closed, moved, grown })
                Assert.True((allowed.Contains(change) ? CatalogRefusal.None : CatalogRefusal.Forbidden) == Put(change, holder, state).Result.Refusal, $"{role}: {change.Title.De} {change.Access} {change.Dataspace} {change.Schema.Fields.Length}");
        }
    }

    [Fact]
    public void A_dataset_moves_only_if_both_sides_agree()
    {
        var (state, _) = Put(Spec() with { Dataspace = "umwelt" }, Admin("a"));
        var here = Person(new HeldGrant("g", DataspaceRole.Coordinator, "umwelt", null, "senumvk/a"));
        var both = Person(new HeldGrant("g", DataspaceRole.Coordinator, "umwelt", null, "senumvk/a"), new HeldGrant("h", DataspaceRole.Coordinator, "verkehr", null, "senumvk/a"));
        var wanted = Spec() with { Dataspace = "verkehr" };
        var verkehr = new DataspaceInfo("verkehr", new(new("Verkehr", null), null, "other"), s_now, s_now, []);
        Assert.Equal(CatalogRefusal.Forbidden, Put(wanted, here, state, verkehr).Result.Refusal);
        Assert.Equal(CatalogRefusal.Forbidden, Put(wanted, Admin("a"), state, verkehr).Result.Refusal);
        Assert.Equal(CatalogRefusal.None, Put(wanted, both, state, verkehr).Result.Refusal);
    }

    [Fact]
    public void Two_keys_at_most_are_valid_at_once_in_a_rotation()
    {
        var state = new AgencyState(new("Umwelt", null), [new("k1", [1], KeyRole.Push, "Netz", s_now, null) { Scope = new(null, ["air"], null) }]);
        var (rotated, refusal, _, made) = AgencyRules.Rotate(state, "senumvk", Admin("a"), "k1", Key("k2"), TimeSpan.FromDays(7), 10);
        Assert.Equal(CatalogRefusal.None, refusal);
        Assert.Equal((KeyRole.Push, "Netz", state.Keys[0].Scope), (made!.Role, made.Label, made.Scope));
        foreach (var (key, days, lives) in new[] { ("k1", 6, true), ("k2", 6, true), ("k1", 7, false), ("k2", 700, true) })
            Assert.Equal(lives, AgencyRules.Authenticate(rotated, "senumvk", key, key == "k1" ? [1] : [2], s_now.AddDays(days)) is not null);

        Assert.Equal(CatalogRefusal.Conflict, AgencyRules.Rotate(rotated, "senumvk", Admin("a"), "k1", Key("k3"), TimeSpan.Zero, 10).Refusal);
        Assert.Equal(CatalogRefusal.Conflict, AgencyRules.Rotate(rotated, "senumvk", Admin("a"), "k2", Key("k3"), TimeSpan.Zero, 10).Refusal);
        Assert.Equal(CatalogRefusal.None, AgencyRules.Rotate(rotated, "senumvk", Admin("a"), "k2", Key("k3") with { Created = s_now.AddDays(8) }, TimeSpan.Zero, 10).Refusal);

        static StoredKey Key(string id) => new(id, [2], KeyRole.None, null, s_now, null);
    }

    [Fact]
    public void The_documented_tables_are_those_that_decide()
    {
        var file = Path.Combine(Root(), "client-api", "ACCESS.md");
        var expected = $"""
            # Wer was darf · Who may do what

            Was nichts erlaubt, ist verboten. Rechte an der Beschreibung und Rechte an den Zeilen sind getrennt; keines schließt ein anderes ein.
            Schlüssel wirken auf das, was ihrer Behörde gehört, Rollen auf das, was in ihrem Datenraum liegt (oder auf den einen Datensatz, für den sie gelten). `GET /api/v1/access` erklärt jeden Einzelfall.

            What nothing allows is denied. Rights to the description and rights to the rows are separate; none includes another.
            Keys reach what belongs to their agency, roles what lies in their dataspace (or the one dataset that they are given for). `GET /api/v1/access` explains each case.

            ## Rollen · Roles

            {AccessTableText.Roles("de")}
            {AccessTableText.Roles("en")}
            ## Vorgänge · Operations

            {AccessTableText.Operations("de")}
            {AccessTableText.Operations("en")}
            ## Formulare · Forms

            Die Formulare der Seiten senden, wer angemeldet ist und das darf, wofür sie stehen; nur von Seiten dieses Hubs.

            {AccessTableText.Forms("de")}
            The forms of the pages are sent by whoever has signed in and may do what they stand for; from pages of this hub only.

            {AccessTableText.Forms("en")}
            """.ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("DATAHUB_WRITE_ACCESS") == "1") File.WriteAllText(file, expected);
        Assert.Equal(expected, File.ReadAllText(file));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "DataHub.sln"))) folder = folder.Parent;
        return folder.FullName;
    }

    private static (DatasetState State, DatasetResult Result) Put(DatasetSpec spec, Caller caller, DatasetState? state = null, DataspaceInfo? dataspace = null) => DatasetRules.Put(
        state ?? new(), "air", caller, spec, true, 0, 4, new(), s_now, dataspace ?? (spec.Dataspace is { } id ? new(id, new(new(id, null), null, "senumvk"), s_now, s_now, []) : null));

    private static DatasetSpec Spec() => new(new("Luftgüte", "Air quality"), "senumvk", DatasetKind.Observations, AccessClass.Open, "dl-de/by-2-0", null, Contracts.AirQuality.Schema, null);

    private static DatasetSpec Personal() => Spec() with
    {
        LegalBasis = "Art. 6 Abs. 1 lit. e DSGVO",
        Schema = Spec().Schema with { Fields = [.. Spec().Schema.Fields, Contracts.Field("name", FieldType.String, FieldRole.Personal)] },
    };

    private static Caller Admin(string key) => new("senumvk", KeyRole.Admin, key);

    private static Caller Person(params HeldGrant[] grants) => Caller.Public with { Person = "oidc:ada", Grants = new(grants) };
}
