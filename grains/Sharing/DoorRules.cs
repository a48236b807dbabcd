using System.Net;

using DataHub.Catalog;

namespace DataHub.Sharing;

/// <summary>
/// Which agreement lets somebody read rows that are not open, and which rows and fields it gives. What no agreement in force
/// says is denied. Pure.
/// </summary>
internal static class DoorRules
{
    /// <param name="purpose">As the caller says; null: none was said.</param>
    /// <param name="address">From where it is asked; null: not known.</param>
    /// <param name="inForce">The agreements about the dataset that are active now.</param>
    /// <returns>The agreement, or what is missing; neither where none is with the caller.</returns>
    public static (AgreementInForce? Through, LocalText? Missing) Rows(Caller caller, string? purpose, string? address, Holding holding, CompiledContract contract, IReadOnlyList<AgreementInForce> inForce)
    {
        LocalText? missing = null;
        foreach (var agreement in inForce)
        {
            if (!IsParty(caller, agreement.Terms, holding)) continue;
            if (Fault(agreement, purpose, address, contract) is not { } fault) return (agreement, null);
            missing ??= fault;
        }

        return (null, missing);
    }

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

    /// <summary>A key of the recipient that may read, or somebody of a group of it.</summary>
    private static bool IsParty(Caller caller, AgreementTerms terms, Holding holding)
    {
        if (caller.Agency is not null)
        {
            return caller.Agency == terms.Recipient && (AccessRules.Of(caller.Role) & AccessRights.ReadRows) != 0 && (caller.Scope is null || caller.Scope.Admits(AccessRights.ReadRows, holding, null))
                && (terms.Use.Keys is { } keys ? keys.Contains(caller.KeyId) : terms.Use.Groups is null);
        }

        return caller.Person is not null && caller.Grants.All.Any(grant => Subjects.AgencyOf(grant.Group) == terms.Recipient && (terms.Use.Groups is null ? terms.Use.Keys is null : terms.Use.Groups.Contains(grant.Group)));
    }

    /// <summary>What of an agreement is not kept by a question; null: nothing.</summary>
    private static LocalText? Fault(AgreementInForce agreement, string? purpose, string? address, CompiledContract contract)
    {
        var (id, terms) = (agreement.Id, agreement.Terms);
        if (purpose is null || !terms.Purposes.Any(one => one.Id == purpose))
        {
            var named = string.Join(", ", terms.Purposes.Select(one => one.Id));
            return purpose is null
                ? new($"Die Vereinbarung „{id}“ gilt für einen Zweck; die Kopfzeile DataHub-Purpose muss einen davon nennen: {named}.", $"The agreement “{id}” is for a purpose; the header DataHub-Purpose must name one of: {named}.")
                : new($"Die Vereinbarung „{id}“ gilt nicht für den Zweck „{purpose}“, sondern für: {named}.", $"The agreement “{id}” is not for the purpose “{purpose}” but for: {named}.");
        }

        if (terms.Delivery.Form == AgreementForm.Values) return new($"Die Vereinbarung „{id}“ gibt Werte, keine Zeilen.", $"The agreement “{id}” gives values, not rows.");
        if (terms.Data.FinestLevel is not null || terms.Data.SmallestGroup > 1)
            return new($"Die Vereinbarung „{id}“ gibt nur zusammengefasste Werte: Ebene oder kleinste Gruppe sind vereinbart, einzelne Zeilen sind feiner.", $"The agreement “{id}” gives aggregated values only: a level or a smallest group is agreed, single rows are finer.");
        if (terms.Use.Networks is { } networks && !(IPAddress.TryParse(address, out var from) && networks.Any(network => IPNetwork.TryParse(network, out var known) && known.Contains(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from))))
            return new($"Die Vereinbarung „{id}“ gilt nur für Anfragen aus: {string.Join(", ", networks)}.", $"The agreement “{id}” is for requests from these networks only: {string.Join(", ", networks)}.");

        // The place from which a page goes on names the last row's time and key.
        var fields = Fields(terms, contract);
        var needed = contract.TimeField < 0 ? contract.Schema.PrimaryKey : contract.Schema.PrimaryKey.Append(contract.Fields[contract.TimeField].Name);
        var hidden = needed.Where(name => !fields.Contains(name)).Distinct(StringComparer.Ordinal).ToArray();
        return hidden.Length == 0 ? null : new(
            $"Die Vereinbarung „{id}“ gibt {string.Join(", ", hidden)} nicht; ohne Schlüssel- und Zeitfelder sind einzelne Zeilen nicht zu blättern.",
            $"The agreement “{id}” does not give {string.Join(", ", hidden)}; without key and time fields single rows cannot be paged through.");
    }
}
