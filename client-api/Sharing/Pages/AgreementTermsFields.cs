using System.Globalization;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Sharing;

/// <summary>
/// Terms as fields of a form, and back: a field is called as the member is, lists have one entry a line, purposes and duties
/// have rows of fields. What was not touched comes back as it stood, to the last character. Pure.
/// </summary>
internal static class AgreementTermsFields
{
    /// <summary>All terms as a form sends them, every letter of them escaped.</summary>
    public static readonly FormSize Size = new(4 * AgreementLimits.MaxBytes, 400, AgreementLimits.MaxBytes);

    private const string InstantForm = "yyyy-MM-dd'T'HH:mm:ss";

    /// <summary>Rows that are empty, for more.</summary>
    private const int MoreRows = 2;

    private static readonly string[] s_instants = [InstantForm, "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd"];

    /// <summary>The clause's member that is looked at first.</summary>
    private static readonly Dictionary<string, string> s_clauses = new(StringComparer.Ordinal)
    {
        ["purpose"] = "forbiddenPurposes[0].id",
        ["sovereignty"] = "use.onwardTransfer",
        ["proportionality"] = "data.smallestGroup",
        ["transparency"] = "legalBasis",
        ["security"] = "use.groups",
        ["accountability"] = "duties[0].id",
        ["openness"] = "use.publication",
        ["exit"] = "term.notice",
    };

    /// <param name="terms">That stand; null: there are none yet.</param>
    /// <param name="entered">What was entered and refused; null: nothing.</param>
    /// <param name="agencies">Ids that are proposed.</param>
    /// <param name="datasets">Ids that are proposed.</param>
    public static StewardField[] Of(Display display, AgreementTerms? terms, IFormCollection? entered, string[] agencies, string[] datasets)
    {
        var fields = new List<StewardField>();
        var group = display.Say("Titel und Grundlage", "Title and basis");
        Text("title.de", terms?.Title.De, AgreementLimits.MaxText, required: true);
        Text("title.en", terms?.Title.En, AgreementLimits.MaxText);
        Text("legalBasis", terms?.LegalBasis, AgreementLimits.MaxReason, display.Say("ohne sie kann nicht angeboten werden", "without it nothing can be offered"));
        if (terms is null)
        {
            group = display.Say("Wer und woran; das bleibt fest", "Who and what; this stays fixed");
            foreach (var (member, proposed) in new[] { ("provider", agencies), ("recipient", agencies), ("dataset", datasets) })
                fields.Add(Field(member) with { Required = true, MaxLength = CatalogIds.MaxLength, Options = [.. proposed.Select(id => (id, id))] });
        }

        Purposes("purposes", display.Say("Erlaubter Zweck", "Allowed purpose"), terms?.Purposes ?? []);
        Purposes("forbiddenPurposes", display.Say("Verbotener Zweck", "Forbidden purpose"), terms?.ForbiddenPurposes ?? []);

        group = display.Say("Daten", "Data");
        var lines = display.Say("je Zeile einer", "one a line");
        Text("data.fields", Lines(terms?.Data.Fields), AgreementLimits.MaxBytes, display.Say("je Zeile eines; leer: alle, die nicht personenbezogen sind", "one a line; empty: all that are not personal"));
        Text("data.areas", Lines(terms?.Data.Areas), AgreementLimits.MaxBytes, display.Say("Kennungen, je Zeile eine; leer: alle", "ids, one a line; empty: all"));
        Text("data.filter", terms?.Data.Filter, AgreementLimits.MaxBytes, display.Say("CQL2, etwa no2 > 40; leer: alle Zeilen", "CQL2, such as no2 > 40; empty: all rows"));
        Instant("data.from", terms?.Data.From);
        Instant("data.to", terms?.Data.To);
        Number("data.finestLevel", terms?.Data.FinestLevel, display.Say("0 ist die gröbste; leer: jede", "0 is the coarsest; empty: any"));
        Number("data.smallestGroup", terms?.Data.SmallestGroup ?? 0, null);

        group = display.Say("Lieferung", "Delivery");
        Choice("delivery.form", terms?.Delivery.Form ?? AgreementForm.Both, AgreementMembers.Name);
        fields.Add(Field("delivery.rhythm") with { Value = terms?.Delivery.Rhythm, Hint = display.Say("Dauer, etwa PT1H; leer: so oft wie gewünscht", "a duration, such as PT1H; empty: as often as wanted") });
        Number("delivery.rowsPerDay", terms?.Delivery.RowsPerDay, display.Say("leer: unbegrenzt", "empty: unlimited"));

        group = display.Say("Nutzung", "Use");
        Text("use.groups", Lines(terms?.Use.Groups), AgreementLimits.MaxBytes, display.Say("Behörde/Gruppe, je Zeile eine; leer: die ganze Behörde", "agency/group, one a line; empty: the whole agency"));
        Text("use.keys", Lines(terms?.Use.Keys), AgreementLimits.MaxBytes, display.Say("Kennungen, ", "ids, ") + lines + display.Say("; leer: jeder", "; empty: any"));
        Text("use.networks", Lines(terms?.Use.Networks), AgreementLimits.MaxBytes, display.Say("wie 192.0.2.0/24, je Zeile eines; leer: jedes", "such as 192.0.2.0/24, one a line; empty: any"));
        Choice("use.onwardTransfer", terms?.Use.OnwardTransfer ?? OnwardTransfer.None, AgreementMembers.Name);
        Choice("use.publication", terms?.Use.Publication ?? PublicationRule.None, AgreementMembers.Name);
        Choice("use.derived", terms?.Use.Derived ?? DerivedRule.Kept, AgreementMembers.Name);

        var duties = terms?.Duties ?? [];
        for (var i = 0; i < Rows("duties", duties.Length, AgreementLimits.MaxDuties, entered); i++)
        {
            var (row, duty) = ($"duties[{Invariant(i)}]", i < duties.Length ? duties[i] : null);
            group = display.Say($"Pflicht {Invariant(i + 1)}", $"Duty {Invariant(i + 1)}");
            Id(row);
            fields[^1] = fields[^1] with { Value = duty?.Id };
            fields.Add(new(row + ".kind", display.Say("Art", "Kind"), StewardFieldKind.Choice) { Group = group, Value = Word(duty?.Kind ?? DutyKind.Report), Options = Options<DutyKind>(AgreementMembers.Name) });
            Localized(row, duty?.Text);
            fields.Add(new(row + ".due", display.Say("Einmal bis (UTC)", "Once by (UTC)"), StewardFieldKind.Instant) { Group = group, Value = Written(duty?.Due) });
            fields.Add(new(row + ".every", display.Say("oder immer wieder im Abstand", "or again and again, at an interval")) { Group = group, Value = duty?.Every, Hint = display.Say("Dauer, etwa P3M", "a duration, such as P3M") });
            fields.Add(new(row + ".missed", display.Say("Wird sie versäumt", "If it is missed"), StewardFieldKind.Choice) { Group = group, Value = Word(duty?.Missed ?? DutyMiss.Notice), Options = Options<DutyMiss>(AgreementMembers.Name) });
        }

        group = display.Say("Laufzeit", "Term");
        Instant("term.from", terms?.Term.From, required: true);
        Instant("term.until", terms?.Term.Until, required: true);
        fields.Add(Field("term.notice") with { Required = true, Value = terms?.Term.Notice ?? "P1M", Hint = display.Say("Dauer, etwa P1M", "a duration, such as P1M") });

        group = display.Say("Vier Augen", "Four eyes");
        foreach (var (member, two) in new[] { ("fourEyes.provider", terms?.FourEyes.Provider), ("fourEyes.recipient", terms?.FourEyes.Recipient) })
            fields.Add(Field(member, StewardFieldKind.Choice) with { Value = two == true ? "2" : "1", Options = [("1", AgreementMembers.People(false).In(display.Language)), ("2", AgreementMembers.People(true).In(display.Language))] });
        return [.. fields];

        StewardField Field(string member, StewardFieldKind kind = StewardFieldKind.Text) => new(member, AgreementMembers.Label(member, display), kind) { Group = group };

        void Text(string member, string? value, int most, string? hint = null, bool required = false) =>
            fields.Add(Field(member, StewardFieldKind.Lines) with { Value = value, MaxLength = most, Hint = hint, Required = required });

        void Instant(string member, DateTimeOffset? at, bool required = false) => fields.Add(Field(member, StewardFieldKind.Instant) with { Value = Written(at), Required = required });

        void Number(string member, long? number, string? hint) => fields.Add(Field(member) with { Value = number?.ToString(CultureInfo.InvariantCulture), MaxLength = 20, Hint = hint });

        void Choice<T>(string member, T value, Func<T, LocalText> name)
            where T : struct, Enum => fields.Add(Field(member, StewardFieldKind.Choice) with { Value = Word(value), Options = Options(name) });

        (string, string)[] Options<T>(Func<T, LocalText> name)
            where T : struct, Enum => [.. Enum.GetValues<T>().Select(value => (Word(value), name(value).In(display.Language)))];

        void Id(string row) => fields.Add(new(row + ".id", display.Say("Kennung", "Id")) { Group = group, MaxLength = CatalogIds.MaxLength, Hint = display.Say("ein Wort, etwa bericht; eine leere Gruppe zählt nicht", "a word, such as report; an empty group does not count") });

        void Localized(string row, LocalText? text)
        {
            fields.Add(new(row + ".text.de", display.Say("Text", "Text in German"), StewardFieldKind.Lines) { Group = group, Value = text?.De, MaxLength = AgreementLimits.MaxText });
            fields.Add(new(row + ".text.en", display.Say("Text auf Englisch", "Text in English"), StewardFieldKind.Lines) { Group = group, Value = text?.En, MaxLength = AgreementLimits.MaxText });
        }

        void Purposes(string member, string name, AgreementPurpose[] purposes)
        {
            for (var i = 0; i < Rows(member, purposes.Length, AgreementLimits.MaxPurposes, entered); i++)
            {
                var row = $"{member}[{Invariant(i)}]";
                group = $"{name} {Invariant(i + 1)}";
                Id(row);
                fields[^1] = fields[^1] with { Value = i < purposes.Length ? purposes[i].Id : null };
                Localized(row, i < purposes.Length ? purposes[i].Text : null);
            }
        }
    }

    /// <summary>The terms that were entered; what cannot be read is said by field.</summary>
    /// <param name="standing">Null: there are none yet.</param>
    public static AgreementTermsEntry Read(IFormCollection values, AgreementTerms? standing)
    {
        var faults = new Dictionary<string, LocalText>(StringComparer.Ordinal);
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        var purposes = Purposes("purposes", standing?.Purposes ?? []);
        var forbidden = Purposes("forbiddenPurposes", standing?.ForbiddenPurposes ?? []);
        var duties = new List<AgreementDuty>();
        var stood = standing?.Duties ?? [];
        for (var i = 0; i < AgreementLimits.MaxDuties; i++)
        {
            var (row, old) = ($"duties[{Invariant(i)}]", i < stood.Length ? stood[i] : null);
            if (IsBlank(row + ".id", row + ".text.de", row + ".text.en", row + ".due", row + ".every")) continue;
            places[$"duties[{Invariant(duties.Count)}]"] = row;
            duties.Add(new(Text(row + ".id", old?.Id) ?? "", Word(row + ".kind", old?.Kind ?? DutyKind.Report), Localized(row + ".text", old?.Text))
            {
                Due = Instant(row + ".due", old?.Due),
                Every = Text(row + ".every", old?.Every),
                Missed = Word(row + ".missed", old?.Missed ?? DutyMiss.Notice),
            });
        }

        var terms = new AgreementTerms(
            Localized("title", standing?.Title), standing?.Provider ?? Clean("provider"), standing?.Recipient ?? Clean("recipient"), standing?.Dataset ?? Clean("dataset"), purposes,
            new(Needed("term.from", standing?.Term.From), Needed("term.until", standing?.Term.Until), Text("term.notice", standing?.Term.Notice) ?? ""))
        {
            ForbiddenPurposes = forbidden,
            LegalBasis = Text("legalBasis", standing?.LegalBasis),
            Data = new()
            {
                Fields = List("data.fields", standing?.Data.Fields),
                From = Instant("data.from", standing?.Data.From),
                To = Instant("data.to", standing?.Data.To),
                Areas = List("data.areas", standing?.Data.Areas),
                Filter = Text("data.filter", standing?.Data.Filter),
                FinestLevel = (int?)Number("data.finestLevel", int.MaxValue),
                SmallestGroup = (int)(Number("data.smallestGroup", int.MaxValue) ?? 0),
            },
            Delivery = new() { Form = Word("delivery.form", AgreementForm.Both), Rhythm = Text("delivery.rhythm", standing?.Delivery.Rhythm), RowsPerDay = Number("delivery.rowsPerDay", long.MaxValue) },
            Use = new()
            {
                Groups = List("use.groups", standing?.Use.Groups),
                Keys = List("use.keys", standing?.Use.Keys),
                Networks = List("use.networks", standing?.Use.Networks),
                OnwardTransfer = Word("use.onwardTransfer", OnwardTransfer.None),
                Publication = Word("use.publication", PublicationRule.None),
                Derived = Word("use.derived", DerivedRule.Kept) is var derived && derived == DerivedRule.Kept ? standing?.Use.Derived is null ? null : derived : derived,
            },
            Duties = [.. duties],
            FourEyes = new() { Provider = Clean("fourEyes.provider") == "2", Recipient = Clean("fourEyes.recipient") == "2" },
        };
        return new(terms, faults, places);

        string Clean(string name) => Cleaned(values[name].ToString());

        bool IsBlank(params string[] names) => Array.TrueForAll(names, name => Clean(name).Length == 0);

        // Browsers write ends of lines in their own way, and nobody sees spaces at the end.
        string? Text(string name, string? old) => Clean(name) is var entered && entered == Cleaned(old) ? old : entered.Length == 0 ? null : entered;

        LocalText Localized(string name, LocalText? old) => new(Text(name + ".de", old?.De) ?? "", Text(name + ".en", old?.En));

        string[]? List(string name, string[]? old) => Clean(name) is var entered && entered == Cleaned(Lines(old)) ? old
            : entered.Length == 0 ? null : entered.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        DateTimeOffset? Instant(string name, DateTimeOffset? old)
        {
            if (Clean(name) is var entered && entered == Cleaned(Written(old))) return old;
            if (entered.Length == 0) return null;
            if (DateTime.TryParseExact(entered, s_instants, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)) return new(at);
            faults[name] = new($"„{entered}“ ist kein Zeitpunkt der Form 2027-12-31T23:59.", $"“{entered}” is no instant of the form 2027-12-31T23:59.");
            return null;
        }

        DateTimeOffset Needed(string name, DateTimeOffset? old)
        {
            var at = Instant(name, old);
            if (at is null) faults.TryAdd(name, new("Ein Zeitpunkt fehlt.", "An instant is missing."));
            return at ?? default;
        }

        long? Number(string name, long most)
        {
            if (Clean(name) is not { Length: > 0 } entered) return null;
            if (long.TryParse(entered, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number <= most && number >= -most) return number;
            faults[name] = new($"„{entered}“ ist keine ganze Zahl.", $"“{entered}” is no whole number.");
            return null;
        }

        T Word<T>(string name, T none)
            where T : struct, Enum
        {
            if (Clean(name) is not { Length: > 0 } entered) return none;
            foreach (var value in Enum.GetValues<T>())
            {
                if (AgreementTermsFields.Word(value) == entered) return value;
            }

            faults[name] = new($"„{entered}“ gibt es hier nicht.", $"There is no “{entered}” here.");
            return none;
        }

        AgreementPurpose[] Purposes(string member, AgreementPurpose[] old)
        {
            var all = new List<AgreementPurpose>();
            for (var i = 0; i < AgreementLimits.MaxPurposes; i++)
            {
                var (row, stands) = ($"{member}[{Invariant(i)}]", i < old.Length ? old[i] : null);
                if (IsBlank(row + ".id", row + ".text.de", row + ".text.en")) continue;
                places[$"{member}[{Invariant(all.Count)}]"] = row;
                all.Add(new(Text(row + ".id", stands?.Id) ?? "", Localized(row + ".text", stands?.Text)));
            }

            return [.. all];
        }
    }

    /// <summary>By which field the charter's clause is kept first.</summary>
    public static string? FieldOf(string clause) => s_clauses.GetValueOrDefault(clause);

    /// <summary>How many rows there are: those that stand or were entered, and some more.</summary>
    private static int Rows(string member, int standing, int most, IFormCollection? entered)
    {
        var rows = standing;
        for (var i = standing; entered is not null && i < most; i++)
        {
            if (entered.Any(one => one.Key.StartsWith($"{member}[{Invariant(i)}].", StringComparison.Ordinal) && !one.Key.EndsWith(".kind", StringComparison.Ordinal) && !one.Key.EndsWith(".missed", StringComparison.Ordinal) && one.Value.ToString().Trim().Length > 0)) rows = i + 1;
        }

        return Math.Min(most, rows + MoreRows);
    }

    private static string Cleaned(string? text) => (text ?? "").ReplaceLineEndings("\n").Trim();

    private static string? Lines(string[]? list) => list is null ? null : string.Join('\n', list);

    private static string? Written(DateTimeOffset? at) => at?.UtcDateTime.ToString(InstantForm, CultureInfo.InvariantCulture);

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Terms that were entered.</summary>
/// <param name="Faults">Why fields cannot be read, by their names; empty: all can.</param>
/// <param name="Places">Rows of the form by the members of the terms, which know no empty rows.</param>
internal sealed record AgreementTermsEntry(AgreementTerms Terms, IReadOnlyDictionary<string, LocalText> Faults, IReadOnlyDictionary<string, string> Places)
{
    /// <summary>The field that a refusal is about, and what it says of it; null where it names none.</summary>
    /// <param name="detail">Such as <c>purposes[0].text: …</c>.</param>
    public (string Field, LocalText Why)? About(LocalText detail, IReadOnlyCollection<string> fields)
    {
        var end = detail.De.IndexOf(": ", StringComparison.Ordinal);
        if (end <= 0 || detail.De.AsSpan(0, end).ContainsAny(" „”\n")) return null;
        var member = detail.De[..end];
        if (member.IndexOf(']', StringComparison.Ordinal) is > 0 and var close)
            member = Places.TryGetValue(member[..(close + 1)], out var row) ? row + member[(close + 1)..] : member.EndsWith(']') ? member[..member.IndexOf('[', StringComparison.Ordinal)] : member;
        var first = Places.GetValueOrDefault(member + "[0]", member + "[0]");
        var field = new[] { member, member + ".de", member + ".id", first + ".id" }.FirstOrDefault(fields.Contains);
        // A row as a whole is told of where its dates stand.
        if (field is not null && field == member + ".id" && fields.Contains(member + ".due")) field = member + ".due";
        return field is null ? null : (field, new(detail.De[(end + 2)..], After(detail.In(Language.English))));
    }

    private static string After(string text) => text.IndexOf(": ", StringComparison.Ordinal) is > 0 and var end ? text[(end + 2)..] : text;
}
