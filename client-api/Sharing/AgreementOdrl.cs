using System.Globalization;
using System.Text.Json.Nodes;

namespace DataHub.Sharing;

/// <summary>
/// An agreement as an ODRL 2.2 policy in JSON-LD (ODRL Information Model 2.2: Agreement 2.1.3, Permission 2.6.5, Prohibition
/// 2.6.6, Duty 2.6.7, Constraint 2.5; JSON-LD context of the ODRL Vocabulary). What ODRL has no word for is a term of the
/// profile <c>urn:datahub:odrl</c>. It says what was agreed; whether it is in force says the agreement's state.
/// </summary>
internal static class AgreementOdrl
{
    private const string Profile = "urn:datahub:odrl";

    public static JsonObject Of(AgreementInfo info)
    {
        var terms = info.Terms;
        var use = Constraints(terms);
        var permissions = new List<JsonObject> { Rule("use", use) };
        // ODRL's aggregate is a collection, its present a performance: publishing has words of its own.
        if (terms.Use.Publication == PublicationRule.Free) permissions.Add(Rule($"{Profile}:publish", []));
        else if (terms.Use.Publication == PublicationRule.AggregatesOnly) permissions.Add(Rule($"{Profile}:publishAggregates", []));
        if (terms.Use.OnwardTransfer == OnwardTransfer.Allowed) permissions.Add(Rule("distribute", []));
        else if (terms.Use.OnwardTransfer == OnwardTransfer.WithConsent) permissions.Add(Rule("distribute", [], new JsonObject { ["action"] = "obtainConsent", ["consentingParty"] = Agency(terms.Provider) }));

        var prohibitions = terms.ForbiddenPurposes.Select(purpose => Rule("use", [Constraint("purpose", "eq", Word("purpose", purpose.Id))])).ToList();
        if (terms.Use.OnwardTransfer == OnwardTransfer.None) prohibitions.Add(Rule("distribute", []));
        if (terms.Use.Publication == PublicationRule.None) prohibitions.Add(Rule($"{Profile}:publish", []));
        var policy = new JsonObject
        {
            ["@context"] = "http://www.w3.org/ns/odrl.jsonld",
            ["@type"] = "Agreement",
            ["uid"] = $"urn:datahub:agreement:{info.Id}:{info.Version.ToString(CultureInfo.InvariantCulture)}",
            ["profile"] = Profile,
            ["assigner"] = Agency(terms.Provider),
            ["assignee"] = Agency(terms.Recipient),
            ["target"] = "urn:datahub:dataset:" + terms.Dataset,
            ["permission"] = Array(permissions),
        };
        if (prohibitions.Count > 0) policy["prohibition"] = Array(prohibitions);
        var obligations = terms.Duties.Select(Obligation).ToList();
        if (terms.Use.Derived is { } derived)
        {
            obligations.Add(Rule($"{Profile}:{derived switch { DerivedRule.Frozen => "freeze", DerivedRule.Deleted => "delete", _ => "keep" }}Derived", []));
        }

        if (obligations.Count > 0) policy["obligation"] = Array(obligations);
        return policy;

        JsonObject Obligation(AgreementDuty duty)
        {
            var obligation = Rule(
                duty.Kind switch { DutyKind.Delete => "delete", DutyKind.Report => "inform", _ => $"{Profile}:{(duty.Kind == DutyKind.Renew ? "renew" : "other")}" },
                [duty.Due is { } due ? Constraint("dateTime", "lteq", Instant(due)) : Constraint("timeInterval", "eq", Typed(duty.Every!, "xsd:duration"))]);
            obligation["uid"] = $"urn:datahub:agreement:{info.Id}:duty:{duty.Id}";
            return obligation;
        }
    }

    private static List<JsonObject> Constraints(AgreementTerms terms)
    {
        var all = new List<JsonObject>
        {
            Constraint("purpose", "isAnyOf", Words(terms.Purposes.Select(purpose => Word("purpose", purpose.Id)))),
            Constraint("dateTime", "gteq", Instant(terms.Term.From)),
            Constraint("dateTime", "lt", Instant(terms.Term.Until)),
        };
        if (terms.Delivery.RowsPerDay is { } rows) all.Add(Constraint($"{Profile}:rowsPerDay", "lteq", rows));
        if (terms.Delivery.Rhythm is { } rhythm) all.Add(Constraint("timeInterval", "gteq", Typed(rhythm, "xsd:duration")));
        if (terms.Delivery.Form != AgreementForm.Both) all.Add(Constraint($"{Profile}:form", "eq", terms.Delivery.Form switch { AgreementForm.Rows => "rows", AgreementForm.Values => "values", _ => "evidence" }));
        if (terms.Data.Areas is { } areas) all.Add(Constraint("spatial", "isAnyOf", Words(areas.Select(area => Word("area", area)))));
        all.Add(terms.Data.Fields is { } fields ? Constraint($"{Profile}:field", "isAnyOf", Words(fields)) : Constraint($"{Profile}:fieldRole", "neq", "personal"));
        if (terms.Data.From is { } from) all.Add(Constraint($"{Profile}:rowTime", "gteq", Instant(from)));
        if (terms.Data.To is { } to) all.Add(Constraint($"{Profile}:rowTime", "lt", Instant(to)));
        if (terms.Data.Filter is { } filter) all.Add(Constraint($"{Profile}:filter", "eq", Typed(filter, Profile + ":cql2-text")));
        if (terms.Data.FinestLevel is { } level) all.Add(Constraint($"{Profile}:level", "lteq", level));
        if (terms.Data.SmallestGroup > 0) all.Add(Constraint($"{Profile}:smallestGroup", "gteq", terms.Data.SmallestGroup));

        // People of these groups, or these keys: where both are named either will do (Logical Constraint, 2.5.2).
        var readers = new List<JsonObject>(2);
        if (terms.Use.Groups is { } groups) readers.Add(Constraint("recipient", "isAnyOf", Words(groups.Select(group => Word("group", group)))));
        if (terms.Use.Keys is { } keys) readers.Add(Constraint("systemDevice", "isAnyOf", Words(keys.Select(key => Word("key", $"{terms.Recipient}.{key}")))));
        if (readers.Count == 2) all.Add(new() { ["or"] = new JsonObject { ["@list"] = Array(readers) } });
        else all.AddRange(readers);
        if (terms.Use.Networks is { } networks) all.Add(Constraint("virtualLocation", "isAnyOf", Words(networks)));
        return all;
    }

    private static JsonObject Rule(string action, List<JsonObject> constraints, JsonObject? duty = null)
    {
        var rule = new JsonObject { ["action"] = action };
        if (constraints.Count > 0) rule["constraint"] = Array(constraints);
        if (duty is not null) rule["duty"] = Array([duty]);
        return rule;
    }

    private static JsonObject Constraint(string left, string comparison, JsonNode right) => new() { ["leftOperand"] = left, ["operator"] = comparison, ["rightOperand"] = right };

    private static JsonObject Instant(DateTimeOffset at) => Typed(at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture), "xsd:dateTime");

    private static JsonObject Typed(string value, string type) => new() { ["@value"] = value, ["@type"] = type };

    private static string Agency(string agency) => "urn:datahub:agency:" + agency;

    /// <summary>Something that has a name of its own: an IRI, not a text.</summary>
    private static JsonObject Word(string kind, string id) => new() { ["@id"] = $"urn:datahub:{kind}:{id}" };

    private static JsonArray Words(IEnumerable<JsonObject> words) => Array(words);

    private static JsonArray Words(IEnumerable<string> words) => new([.. words.Select(word => (JsonNode)JsonValue.Create(word))]);

    private static JsonArray Array(IEnumerable<JsonObject> objects) => new([.. objects]);
}
