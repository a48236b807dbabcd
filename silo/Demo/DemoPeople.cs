using DataHub.Catalog;

namespace DataHub.Demo;

/// <summary>
/// The people of the demo city, one for each role that there is in a dataspace. They sign in where the hub has a local
/// sign-in, and hold what the demo's agency gives their groups through the public interface.
/// </summary>
internal static class DemoPeople
{
    /// <summary>The dataspace in which they hold their roles, and the agency that it belongs to.</summary>
    public const string Dataspace = "umwelt", Agency = DemoFeeds.Environment;

    /// <summary>Subject and group of each, with the role of the group.</summary>
    public static readonly (string Subject, DataspaceRole Role)[] All =
    [
        ("lesen", DataspaceRole.Reader), ("redaktion", DataspaceRole.Editor), ("entwicklung", DataspaceRole.Developer), ("koordination", DataspaceRole.Coordinator), ("freigabe", DataspaceRole.Releaser),
    ];

    public static IEnumerable<LocalPerson> ForSignIn => All.Select(one => new LocalPerson(one.Subject, new($"{AccessWords.Name(one.Role).De} (Demo)", $"{AccessWords.Name(one.Role).En} (demo)")));

    /// <summary>What is put once, in this order, and is theirs to change from then on: method, path and body, by the key of <see cref="Agency"/>.</summary>
    public static IEnumerable<(HttpMethod Method, string Path, string Body)> Acts =>
    [
        (HttpMethod.Put, $"api/v1/dataspaces/{Dataspace}",
            $$"""{ "title": { "de": "Umwelt", "en": "Environment" }, "owner": "{{Agency}}", "description": { "de": "Datenraum der Demo: jede Rolle hat eine Person; erfunden.", "en": "Dataspace of the demo: every role has a person; invented." } }"""),
        (HttpMethod.Put, $"api/v1/datasets/{Draft}",
            $$"""
            { "title": { "de": "Lärmpegel" }, "publisher": "{{Agency}}", "kind": "observations", "dataspace": "{{Dataspace}}", "access": "internal",
              "schema": { "primaryKey": ["station", "time"], "fields": [
                { "name": "station", "type": "string", "role": "series", "constraints": { "required": true, "maxLength": 64 } },
                { "name": "time", "type": "datetime", "role": "time", "constraints": { "required": true } },
                { "name": "level", "type": "number", "role": "measure", "unit": "dB", "constraints": { "minimum": 0, "maximum": 200 } } ] } }
            """),
        .. All.SelectMany(one => new[]
        {
            (HttpMethod.Put, $"api/v1/agencies/{Agency}/groups/{one.Subject}", $$"""{ "name": { "de": "{{AccessWords.Name(one.Role).De}}", "en": "{{AccessWords.Name(one.Role).En}}" } }"""),
            (HttpMethod.Put, $"api/v1/agencies/{Agency}/groups/{one.Subject}/members/{Subjects.Person(LocalSignIn.Issuer, one.Subject)}", """{ "why": "Demo" }"""),
            (HttpMethod.Post, $"api/v1/dataspaces/{Dataspace}/grants", $$"""{ "group": "{{Subjects.Group(Agency, one.Subject)}}", "role": "{{ContractWords.Of(one.Role)}}", "why": "Demo" }"""),
        }),
    ];

    /// <summary>A dataset that is a draft yet: it lacks a licence, and only those with a role know of it.</summary>
    public const string Draft = "noise";
}
