using System.Globalization;
using System.Net;

using DataHub.Catalog;
using DataHub.Indicators;

namespace DataHub.Sharing;

/// <summary>
/// Which agreement lets somebody read what is not open, and which rows, fields and values it gives. What no agreement in
/// force says is denied. Pure.
/// </summary>
internal static class DoorRules
{
    private static readonly FieldRole[] s_place = [FieldRole.Area, FieldRole.Longitude, FieldRole.Latitude];

    /// <summary>The first agreement with the caller that allows what he says of his request.</summary>
    /// <param name="fault">What of an agreement stands against it; null: nothing.</param>
    /// <returns>The agreement, or what is missing; neither where none is with the caller.</returns>
    public static (AgreementInForce? Through, LocalText? Missing) Through(Caller caller, Holding holding, IEnumerable<AgreementInForce> inForce, Func<AgreementInForce, LocalText?> fault)
    {
        LocalText? missing = null, readers = null;
        foreach (var agreement in inForce)
        {
            if (!IsParty(caller, agreement.Terms, holding))
            {
                readers ??= Readers(caller, agreement);
                continue;
            }

            if ((UseFault(agreement, caller.Use) ?? fault(agreement)) is not { } found) return (agreement, null);
            missing ??= found;
        }

        return (null, missing ?? readers);
    }

    /// <summary>By which agreement rows may be read.</summary>
    /// <param name="inForce">The agreements about the dataset that are active now.</param>
    /// <returns>The agreement, or what is missing; neither where none is with the caller.</returns>
    public static (AgreementInForce? Through, LocalText? Missing) Rows(Caller caller, Holding holding, CompiledContract contract, IEnumerable<AgreementInForce> inForce) =>
        Through(caller, holding, inForce, agreement => RowsFault(agreement, contract));

    /// <summary>Names of the fields that an agreement gives: those it names, else all that are not personal.</summary>
    public static HashSet<string> Fields(AgreementTerms terms, CompiledContract contract) =>
        [.. terms.Data.Fields ?? contract.Fields.Where(field => field.Role != FieldRole.Personal).Select(field => field.Name)];

    /// <summary>Whether all fields of some roles are given.</summary>
    public static bool HasAll(CompiledContract contract, IReadOnlySet<string> fields, params FieldRole[] roles) =>
        contract.Fields.Where(field => roles.Contains(field.Role)).All(field => fields.Contains(field.Name));

    /// <summary>The part of a time range that an agreement gives; empty where it gives nothing of it.</summary>
    public static (DateTimeOffset? From, DateTimeOffset? To, bool IsEmpty) Range(AgreementTerms terms, DateTimeOffset? from, DateTimeOffset? to)
    {
        var first = from is null || terms.Data.From > from ? terms.Data.From : from;
        var last = to is null || terms.Data.To < to ? terms.Data.To : to;
        return (first, last, first >= last);
    }

    /// <summary>
    /// What a question for values asks of what an agreement gives: whole windows within its period, areas within its areas and
    /// not finer than its level, and its smallest group suppresses what the definition does not.
    /// </summary>
    /// <param name="definition">One that <see cref="ValuesFault"/> has let pass.</param>
    /// <param name="query">With instants, not days.</param>
    /// <param name="areas">Where the indicator is grouped by area.</param>
    public static (ValuesQuery? Query, LocalText? Fault) Narrow(AgreementInForce agreement, IndicatorDefinition definition, CompiledContract contract, ValuesQuery query, AreaTree? areas)
    {
        var (id, terms, spec) = (agreement.Id, agreement.Terms, definition.Spec);
        if (terms.Data.Areas is { } given && query.Whole)
            return (null, new($"Die Vereinbarung „{id}“ gibt nur die Gebiete {string.Join(", ", given)}, nicht alle zusammen (whole).", $"The agreement “{id}” gives only the areas {string.Join(", ", given)}, not all together (whole)."));

        var level = query.Level;
        if (terms.Data.FinestLevel is { } finest && spec.ByArea && !query.Whole)
        {
            var asked = level ?? (query.Area is { } area && areas?.TryGet(area, out var found) == true ? found.Level : null);
            if (asked > finest) return (null, new($"Die Vereinbarung „{id}“ gibt Gebiete bis Ebene {finest}, nicht Ebene {asked}.", $"The agreement “{id}” gives areas down to level {finest}, not level {asked}."));
            if (asked is null && areas is not null && finest < areas.Levels - 1) level = finest;
        }

        var (from, to) = Windows(terms, definition);
        from = query.From is { } wanted && !(from > wanted) ? wanted : from;
        to = query.To is { } end && !(to < end) ? end : to;
        if (from >= to) from = to;
        var fields = Fields(terms, contract);
        var tellsSeries = HasAll(contract, fields, FieldRole.Series);
        var first = terms.Data.From is null || from is null ? long.MinValue : from.Value.UtcTicks;
        return (query with { From = from, To = to, Level = level, Within = new($"{id}@{agreement.Version}", terms.Data.Areas, terms.Data.SmallestGroup, tellsSeries ? first : long.MaxValue) }, null);
    }

    /// <summary>Begins of the windows whose values are made of rows of the agreement's period alone.</summary>
    private static (DateTimeOffset? From, DateTimeOffset? To) Windows(AgreementTerms terms, IndicatorDefinition definition)
    {
        var spec = definition.Spec;
        var windows = CalendarWindows.Parse(spec.Window, spec.TimeZone);
        var back = (definition.Inputs?.Max(input => SlidingWindows.Of(input.Spec)) ?? SlidingWindows.Of(spec)) - 1 + (spec.Formula is { } formula ? Formula.Read(formula).Needs.Back : 0);
        DateTimeOffset? first = null, last = null;
        if (terms.Data.From is { } from)
        {
            var begin = ReadRange.First(windows, from.UtcTicks);
            for (; back > 0; back--) begin = windows.Next(begin);
            first = new(Math.Min(begin, DateTime.MaxValue.Ticks), TimeSpan.Zero);
        }

        if (terms.Data.To is { } to) last = new(windows.Floor(to.UtcTicks), TimeSpan.Zero);
        return (first, last);
    }

    /// <summary>What is said where the rows or values of a day are used up.</summary>
    /// <param name="left">So many are left.</param>
    /// <param name="wanted">So many the answer has.</param>
    public static LocalText UsedUp(AgreementInForce agreement, long left, long wanted) => new(
        $"Die Vereinbarung „{agreement.Id}“ gibt {agreement.Terms.Delivery.RowsPerDay} Zeilen oder Werte am Tag (UTC); {left} sind noch übrig, die Antwort hat {wanted}. limit kleiner wählen oder morgen fortfahren.",
        $"The agreement “{agreement.Id}” gives {agreement.Terms.Delivery.RowsPerDay} rows or values a day (UTC); {left} are left, the answer has {wanted}. Choose a smaller limit or go on tomorrow.");

    /// <summary>A key of the recipient that may read, or somebody of a group of it, whether or not the group holds a role.</summary>
    private static bool IsParty(Caller caller, AgreementTerms terms, Holding holding)
    {
        if (caller.Agency is not null)
        {
            return caller.Agency == terms.Recipient && (AccessRules.Of(caller.Role) & AccessRights.ReadRows) != 0 && (caller.Scope is null || caller.Scope.Admits(AccessRights.ReadRows, holding, null))
                && (terms.Use.Keys is { } keys ? keys.Contains(caller.KeyId) : terms.Use.Groups is null);
        }

        return caller.Person is not null && caller.Grants.Groups.Any(group => Subjects.AgencyOf(group) == terms.Recipient && (terms.Use.Groups is null ? terms.Use.Keys is null : terms.Use.Groups.Contains(group)));
    }

    /// <summary>Who of the recipient an agreement is for, said to others of the recipient; null: the caller is of another agency.</summary>
    private static LocalText? Readers(Caller caller, AgreementInForce agreement)
    {
        var (id, terms) = (agreement.Id, agreement.Terms);
        if (caller.Agency is not null ? caller.Agency != terms.Recipient : !caller.Grants.Groups.Any(group => Subjects.AgencyOf(group) == terms.Recipient)) return null;
        return (terms.Use.Groups is { } groups ? string.Join(", ", groups) : null, terms.Use.Keys is { } keys ? string.Join(", ", keys) : null) switch
        {
            ({ } people, null) => new($"Die Vereinbarung „{id}“ gilt nur für Personen dieser Gruppen: {people}.", $"The agreement “{id}” is for people of these groups only: {people}."),
            (null, { } clients) => new($"Die Vereinbarung „{id}“ gilt nur für diese Schlüssel: {clients}.", $"The agreement “{id}” is for these keys only: {clients}."),
            ({ } people, { } clients) => new($"Die Vereinbarung „{id}“ gilt nur für Personen dieser Gruppen: {people}, und für diese Schlüssel: {clients}.", $"The agreement “{id}” is for people of these groups only: {people}, and for these keys: {clients}."),
            _ => new($"Die Vereinbarung „{id}“ gilt für Schlüssel von „{terms.Recipient}“, die diesen Datensatz lesen dürfen.", $"The agreement “{id}” is for keys of “{terms.Recipient}” that may read this dataset."),
        };
    }

    /// <summary>What a caller says of a request that the agreement does not allow; null: nothing.</summary>
    private static LocalText? UseFault(AgreementInForce agreement, StatedUse? use)
    {
        var (id, terms) = (agreement.Id, agreement.Terms);
        if (use is null || !terms.Purposes.Any(one => one.Id == use.Purpose))
        {
            var named = string.Join(", ", terms.Purposes.Select(one => one.Id));
            return use is null
                ? new($"Die Vereinbarung „{id}“ gilt für einen Zweck; die Kopfzeile DataHub-Purpose muss einen davon nennen: {named}.", $"The agreement “{id}” is for a purpose; the header DataHub-Purpose must name one of: {named}.")
                : new($"Die Vereinbarung „{id}“ gilt nicht für den Zweck „{use.Purpose}“, sondern für: {named}.", $"The agreement “{id}” is not for the purpose “{use.Purpose}” but for: {named}.");
        }

        return terms.Use.Networks is { } networks && !(IPAddress.TryParse(use.Address, out var from) && networks.Any(network => IPNetwork.TryParse(network, out var known) && known.Contains(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from)))
            ? new($"Die Vereinbarung „{id}“ gilt nur für Anfragen aus: {string.Join(", ", networks)}.", $"The agreement “{id}” is for requests from these networks only: {string.Join(", ", networks)}.")
            : null;
    }

    /// <summary>Why an agreement gives no rows; null: it does.</summary>
    public static LocalText? RowsFault(AgreementInForce agreement, CompiledContract contract)
    {
        var (id, terms) = (agreement.Id, agreement.Terms);
        if (terms.Delivery.Form == AgreementForm.Values) return new($"Die Vereinbarung „{id}“ gibt Werte, keine Zeilen.", $"The agreement “{id}” gives values, not rows.");
        if (terms.Delivery.Form == AgreementForm.Evidence) return OnlyEvidence(id);
        if (terms.Data.FinestLevel is not null || terms.Data.SmallestGroup > 1)
            return new($"Die Vereinbarung „{id}“ gibt nur zusammengefasste Werte: Ebene oder kleinste Gruppe sind vereinbart, einzelne Zeilen sind feiner.", $"The agreement “{id}” gives aggregated values only: a level or a smallest group is agreed, single rows are finer.");

        // The place from which a page goes on names the last row's time and key.
        var fields = Fields(terms, contract);
        var needed = contract.TimeField < 0 ? contract.Schema.PrimaryKey : contract.Schema.PrimaryKey.Append(contract.Fields[contract.TimeField].Name);
        var hidden = needed.Where(name => !fields.Contains(name)).Distinct(StringComparer.Ordinal).ToArray();
        return hidden.Length == 0 ? null : new(
            $"Die Vereinbarung „{id}“ gibt {string.Join(", ", hidden)} nicht; ohne Schlüssel- und Zeitfelder sind einzelne Zeilen nicht zu blättern.",
            $"The agreement “{id}” does not give {string.Join(", ", hidden)}; without key and time fields single rows cannot be paged through.");
    }

    /// <summary>Why an agreement gives no single records as evidence; null: it does.</summary>
    public static LocalText? EvidenceFault(AgreementInForce agreement) => agreement.Terms.Delivery.Form == AgreementForm.Evidence
        ? null
        : new($"Die Vereinbarung „{agreement.Id}“ gibt keine einzelnen Nachweise (delivery.form evidence).", $"The agreement “{agreement.Id}” gives no single records as evidence (delivery.form evidence).");

    private static LocalText OnlyEvidence(string id) => new(
        $"Die Vereinbarung „{id}“ gibt nur einzelne Datensätze als Nachweis (…/evidence), keine Listen und keine Werte.", $"The agreement “{id}” gives single records as evidence only (…/evidence), no lists and no values.");

    /// <summary>Why an agreement gives no values of a definition; null: it does.</summary>
    public static LocalText? ValuesFault(AgreementInForce agreement, IndicatorDefinition definition, CompiledContract contract)
    {
        var (id, terms) = (agreement.Id, agreement.Terms);
        if (terms.Delivery.Form == AgreementForm.Rows) return new($"Die Vereinbarung „{id}“ gibt Zeilen, keine Werte.", $"The agreement “{id}” gives rows, not values.");
        if (terms.Delivery.Form == AgreementForm.Evidence) return OnlyEvidence(id);
        var fields = Fields(terms, contract);
        foreach (var of in definition.Inputs ?? [definition])
        {
            var spec = of.Spec;
            var hidden = FieldsOf(spec, contract).Where(name => !fields.Contains(name)).Distinct(StringComparer.Ordinal).ToArray();
            if (hidden.Length > 0)
                return new($"Die Vereinbarung „{id}“ gibt {string.Join(", ", hidden)} nicht; daraus wird „{of.Indicator}“ gebildet.", $"The agreement “{id}” does not give {string.Join(", ", hidden)}, which “{of.Indicator}” is made of.");
            if (!FilterMeaning.Implies(spec.Filter, terms.Data.Filter))
                return new($"Die Vereinbarung „{id}“ gibt nur Zeilen mit {terms.Data.Filter}; „{of.Indicator}“ zählt auch andere. Ein Indikator, dessen Filter diese Bedingung mit AND enthält, ginge.", $"The agreement “{id}” gives only rows with {terms.Data.Filter}; “{of.Indicator}” counts others too. An indicator whose filter contains this condition, joined by AND, would do.");
            if (terms.Data.Areas is not null && !spec.ByArea)
                return new($"Die Vereinbarung „{id}“ gibt nur einige Gebiete; „{of.Indicator}“ ist nicht nach Gebieten gegliedert.", $"The agreement “{id}” gives only some areas; “{of.Indicator}” is not grouped by area.");
            if (terms.Data.From is { } from && (spec.Function == MeasureFunction.Open || spec.Field == IndicatorSpec.DurationField))
                return new($"Die Vereinbarung „{id}“ gibt nur, was seit {Day(from)} ist; „{of.Indicator}“ zählt auch, was davor begonnen hat.", $"The agreement “{id}” gives only what is since {Day(from)}; “{of.Indicator}” also counts what began before.");
        }

        if (terms.Data.Areas is not null && definition.Spec.Formula is { } formula && Formula.Read(formula).Needs is { Whole: true } or { Ranks: true })
            return new($"Die Vereinbarung „{id}“ gibt nur einige Gebiete; „{definition.Indicator}“ vergleicht sie mit anderen.", $"The agreement “{id}” gives only some areas; “{definition.Indicator}” compares them with others.");
        return null;

        static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>Names of the fields that a value is made of. How many series reported is told besides where these are given, and is no part of it.</summary>
    private static IEnumerable<string> FieldsOf(IndicatorSpec spec, CompiledContract contract)
    {
        if (contract.TimeField >= 0) yield return contract.Fields[contract.TimeField].Name;
        if (spec.Field is { } measured && measured != IndicatorSpec.DurationField) yield return measured;
        foreach (var dimension in spec.Dimensions) yield return dimension;
        foreach (var field in contract.Fields)
        {
            if (spec.ByArea && s_place.Contains(field.Role)) yield return field.Name;
            if ((spec.Function == MeasureFunction.Open || spec.Field == IndicatorSpec.DurationField) && field.Role is FieldRole.Opened or FieldRole.Closed) yield return field.Name;
        }

        if (spec.Filter is null) yield break;
        foreach (var name in FilterMeaning.Fields(spec.Filter)) yield return name;
    }
}
