using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

using DataHub.Support;

using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

using Xunit.Abstractions;

using static DataHub.Support.HubFixture;

namespace DataHub.Catalog;

/// <summary>
/// Every operation of the public interface, by everybody who can come, on what is their own, what belongs to others and
/// what belongs to no dataspace: answered as client-api/ACCESS.md says. The expectation is read from that document.
/// </summary>
public sealed class AccessMatrixTests(ITestOutputHelper output)
{
    private static readonly string[] s_relations = ["own", "other", "none"];
    private static readonly string[] s_roles = ["reader", "editor", "developer", "coordinator", "releaser", "administrator"];

    [Fact]
    public async Task Every_operation_by_everybody_on_everything_is_answered_as_the_document_says()
    {
        await using var issuer = await SignInIssuer.StartAsync();
        var settings = issuer.Settings();
        settings["DataHub:Catalog:MaxKeys"] = "1000";
        await using var hub = await HubFixture.StartAsync(settings);
        var city = await CityAsync(hub, issuer);
        var (roles, operations) = Document();
        var wrong = new List<string>();
        var cells = 0;
        foreach (var (route, right) in operations)
        {
            foreach (var relation in s_relations)
            {
                foreach (var (who, client) in city.Callers)
                {
                    cells++;
                    var status = await SendAsync(hub, city, client, route, relation);
                    var allowed = status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound);
                    Assert.True((int)status < 500, $"{who} {route} {relation}: {(int)status}");
                    if (allowed != Expected(roles, route, right, who, relation)) wrong.Add($"{who} {route} {relation}: {(int)status}, {(allowed ? "may not" : "may")} by the document");
                }
            }
        }

        output.WriteLine($"{cells} cells");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(operations.Count * s_relations.Length * city.Callers.Length, cells);
    }

    [Fact]
    public async Task Every_route_stands_in_the_table_and_the_table_has_no_other()
    {
        await using var hub = await HubFixture.StartAsync();
        var routes = hub.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Where(method => method is not ("HEAD" or "OPTIONS"))
                .Select(method => (Method: method, Path: "/" + endpoint.RoutePattern.RawText!.Trim('/'))))
            .Distinct().ToArray();
        Assert.True(routes.Length > 60, $"{routes.Length} routes");
        var table = AccessTable.Operations.Select(operation => operation.Route).ToHashSet();
        var unknown = routes.Where(route => !table.Contains($"{route.Method} {route.Path}") && (route.Path.StartsWith("/api/", StringComparison.Ordinal) || route.Method != "GET" || !AccessTable.Open.Any(open => route.Path == open || route.Path.StartsWith(open.TrimEnd('/') + "/", StringComparison.Ordinal))));
        Assert.Empty(unknown.Select(route => $"{route.Method} {route.Path}"));
        Assert.Empty(table.Except(routes.Select(route => $"{route.Method} {route.Path}")));
    }

    [Fact]
    public async Task Every_form_of_the_pages_stands_for_an_operation_of_the_table()
    {
        await using var hub = await HubFixture.StartAsync(new Dictionary<string, string?> { ["DataHub:SignIn:Local"] = "true" });
        var posts = hub.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Where(method => method is not ("GET" or "HEAD" or "OPTIONS"))
                .Select(method => $"{method} /{endpoint.RoutePattern.RawText!.Trim('/')}"))
            .Where(route => !route.Contains(" /api/", StringComparison.Ordinal)).Distinct();

        Assert.Equal([.. AccessTable.Forms.Select(form => form.Route).Append("POST /signin/local").Append("POST /signout").Order(StringComparer.Ordinal)], posts.Order(StringComparer.Ordinal));
        Assert.Empty(AccessTable.Forms.Select(form => form.Operation).Except(AccessTable.Operations.Select(operation => operation.Route)));
    }

    /// <summary>What the document says of a cell.</summary>
    private static bool Expected(Dictionary<string, HashSet<string>> roles, string route, string? right, string who, string relation)
    {
        if (right is null || roles["everybody"].Contains(right)) return true;
        if (who is "administrator" or "platform") return true;
        // The end of the chain is the same for every admin of an agency.
        if (route.EndsWith("/audit/head", StringComparison.Ordinal)) relation = "own";
        if (who == "public" || relation != "own") return false;
        var ofAgency = route.Contains("/agencies/", StringComparison.Ordinal);
        return !(ofAgency && s_roles.Contains(who)) && right != "administer" && roles[who].Contains(right);
    }

    /// <summary>Rights by role, and the right of each operation, from the English tables.</summary>
    private static (Dictionary<string, HashSet<string>> Roles, List<(string Route, string? Right)> Operations) Document()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "DataHub.sln"))) folder = folder.Parent;
        var lines = File.ReadAllLines(Path.Combine(folder.FullName, "client-api", "ACCESS.md"));
        var heads = Cells(lines.Single(line => line.StartsWith("| Right |", StringComparison.Ordinal)));
        var names = heads[1..].Select(head => head.Replace("key ", "", StringComparison.Ordinal).Trim('`')).ToArray();
        var roles = names.ToDictionary(name => name, _ => new HashSet<string>());
        foreach (var line in lines.SkipWhile(line => !line.StartsWith("| Right |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|')))
        {
            var cells = Cells(line);
            for (var i = 1; i < cells.Length; i++)
            {
                if (cells[i] == "✓") roles[names[i - 1]].Add(cells[0].Split('`')[1]);
            }
        }

        var operations = lines.SkipWhile(line => !line.StartsWith("| Operation |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
            .Select(Cells).Select(cells => (cells[0].Trim('`'), cells[1] == "–" ? null : cells[1].Trim('`'))).ToList();
        Assert.True(operations.Count > 50);
        return (roles, operations);

        static string[] Cells(string line) => [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];
    }

    private static async Task<City> CityAsync(HubFixture hub, SignInIssuer issuer)
    {
        var ids = new Dictionary<string, Dictionary<string, string>>();
        await OkAsync(hub.Admin.PutAsync("api/v1/areas/stadt", new StringContent(Areas, Encoding.UTF8, "text/csv")));
        await OkAsync(hub.Admin.PutAsJsonAsync("api/v1/agencies/partner", new { name = "Partner" }));
        foreach (var relation in s_relations)
        {
            var own = ids[relation] = new() { ["agency"] = relation, ["dataset"] = "d-" + relation, ["indicator"] = "i-" + relation, ["dataspace"] = "r-" + relation, ["system"] = "stadt", ["feed"] = "default", ["group"] = "gruppe", ["person"] = "oidc:jemand", ["purpose"] = "probe", ["version"] = "1", ["key"] = "probe" };
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{relation}", new { name = relation }));
            var key = (await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/agencies/{relation}/keys", new { role = "read" }))).RootElement.GetProperty("id").GetString()!;
            await OkAsync(hub.Admin.DeleteAsync($"api/v1/agencies/{relation}/keys/{key}"));
            own["id"] = key;
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/agencies/{relation}/pseudonym-keys/probe/rotation", new { }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{relation}/pull-keys/probe", PullKey()));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{relation}/groups/gruppe", new { name = "Gruppe" }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/dataspaces/r-{relation}", new { title = relation, owner = relation }));
            await OkAsync(hub.Admin.PutAsync($"api/v1/datasets/d-{relation}", Dataset(relation, 0)));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/indicators/i-{relation}", Indicator(relation)));
            own["receipt"] = (await OkAsync(hub.Admin.PostAsync($"api/v1/datasets/d-{relation}/feeds/default/records", Row()))).RootElement.GetProperty("receipt").GetString()!;
            own["erasure"] = (await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/datasets/d-{relation}/erasures", Erasure()))).RootElement.GetProperty("id").GetString()!;
            var grant = (await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/r-{relation}/grants", Grant(relation)))).RootElement.GetProperty("id").GetString()!;
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/r-{relation}/grants/{grant}/revocation", new { why = "Probe" }));
            own["grant"] = grant;
            own["file"] = await FileAsync(hub, relation);
            (own["job"], own["step"]) = ("j-" + relation, "zeilen");
            await OkAsync(hub.Admin.PutAsync($"api/v1/jobs/j-{relation}", Job(relation)));
            (own["namespace"], own["name"]) = (relation, "werkzeug");
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/lineage{(relation == "none" ? "" : "?dataspace=r-" + relation)}", Event(relation)));
            own["run"] = (await Pipelines.Pipes.RunAsync(hub.Admin, "j-" + relation, new { })).GetProperty("id").GetString()!;
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agreements/{own["agreement"] = "v-" + relation}", Agreement(relation)));
        }

        var callers = new List<(string, HttpClient)> { ("public", hub.Anonymous), ("platform", hub.Admin) };
        foreach (var role in new[] { KeyRole.Read, KeyRole.Push, KeyRole.Admin }) callers.Add((ContractWords.Of(role), await hub.AgencyAsync("own", role)));
        foreach (var role in s_roles)
        {
            var group = "g-" + role;
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/own/groups/{group}", new { name = group }));
            await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/own/groups/{group}/members/oidc:{role}", new { why = "Probe" }));
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/dataspaces/{(role == "administrator" ? "platform" : "r-own")}/grants", new { group = "own/" + group, role, why = "Probe" }));
            callers.Add((role, hub.With(issuer.Token(null, ("sub", role)))));
        }

        return new(ids, [.. callers]);
    }

    private static async Task<HttpStatusCode> SendAsync(HubFixture hub, City city, HttpClient client, string route, string relation)
    {
        var (method, path) = (route.Split(' ')[0], route.Split(' ')[1][1..]);
        foreach (var (name, value) in city.Ids[relation]) path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        path += route.Split('/')[^1] switch
        {
            "explain" => "?from=2026-03-02T08:00:00Z",
            "diff" => "?since=2026-01-01",
            "access" => "?object=dataset:d-" + relation,
            "audit" => "?agency=" + relation,
            "lineage" when method == "POST" => relation == "none" ? "" : "?dataspace=r-" + relation,
            "files" when method == "POST" => $"?agency={relation}&name=a.csv{(relation == "none" ? "" : "&dataspace=r-" + relation)}",
            "values" when route.EndsWith("v1/values", StringComparison.Ordinal) => "?indicator=i-" + relation,
            _ => "",
        };
        using var request = new HttpRequestMessage(new(method), path) { Content = Body(route, relation, Interlocked.Increment(ref city.Changes)) };
        if (route.EndsWith("/changes", StringComparison.Ordinal)) request.Headers.Accept.ParseAdd("text/event-stream");
        if (method == "PATCH") request.Headers.Add("Upload-Offset", "0");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        // Whoever could delete it did.
        if (method == "DELETE" && route.EndsWith("{file}", StringComparison.Ordinal) && answer.IsSuccessStatusCode) city.Ids[relation]["file"] = await FileAsync(hub, relation);

        if (method == "DELETE" && route.EndsWith("/pull-keys/{key}", StringComparison.Ordinal) && answer.IsSuccessStatusCode) await OkAsync(hub.Admin.PutAsJsonAsync($"api/v1/agencies/{relation}/pull-keys/probe", PullKey()));

        // Whoever could retire it did: the next one finds it as it was.
        if (route.EndsWith("/release", StringComparison.Ordinal) && answer.IsSuccessStatusCode && method == "POST")
            await OkAsync(hub.Admin.PostAsJsonAsync($"api/v1/datasets/d-{relation}/release", new { state = "AVAILABLE" }));
        return answer.StatusCode;
    }

    private static HttpContent? Body(string route, string relation, int change) => route[(route.IndexOf("v1/", StringComparison.Ordinal) + 3)..] switch
    {
        "files/{file}" when route.StartsWith("PATCH", StringComparison.Ordinal) => new ByteArrayContent([65]) { Headers = { ContentType = new("application/offset+octet-stream") } },
        _ when !route.StartsWith("PUT", StringComparison.Ordinal) && !route.StartsWith("POST", StringComparison.Ordinal) => null,
        "agencies/{agency}" => JsonContent.Create(new { name = relation }),
        "agencies/{agency}/groups/{group}" => JsonContent.Create(new { name = "Gruppe" }),
        "agencies/{agency}/groups/{group}/members/{person}" => JsonContent.Create(new { why = "Probe" }),
        "agencies/{agency}/keys" => JsonContent.Create(new { role = "read" }),
        "agencies/{agency}/keys/{id}/rotation" => JsonContent.Create(new { }),
        "agencies/{agency}/pseudonym-keys/{purpose}/rotation" => null,
        "agencies/{agency}/pseudonym-keys/{purpose}/versions/{version}/destruction" => JsonContent.Create(new { reason = "Probe" }),
        "agencies/{agency}/pull-keys/{key}" => JsonContent.Create(PullKey()),
        "agencies/{agency}/quota" => JsonContent.Create(new { datasets = 1_000 }),
        "agreements/{agreement}" => JsonContent.Create(Agreement(relation)),
        "agreements/{agreement}/derived/{dataset}" => JsonContent.Create(new { }),
        "agreements/{agreement}/acts" => JsonContent.Create(new { act = "withdraw" }),
        "areas/{system}" => new StringContent(Areas, Encoding.UTF8, "text/csv"),
        "datasets/{dataset}" => Dataset(relation, change),
        "datasets/{dataset}/erasures" => JsonContent.Create(Erasure()),
        "datasets/{dataset}/evidence" => JsonContent.Create(new { key = new { station = "a", time = "2026-03-02T08:00:00Z" }, legalNorm = "Probe", procedure = "Probe", fileNumber = "1", requester = "Probe" }),
        "datasets/{dataset}/evidence/inquiries" => JsonContent.Create(new { key = new { station = "a", time = "2026-03-02T08:00:00Z" }, reason = "Probe" }),
        "datasets/{dataset}/feeds/{feed}" => JsonContent.Create(new { title = "Netz" }),
        "datasets/{dataset}/feeds/{feed}/records" => Row(),
        "datasets/{dataset}/quarantine/discard" => JsonContent.Create(new { select = new { cause = "no2:above-maximum" }, reason = "Probe" }),
        "datasets/{dataset}/quarantine/replay" => JsonContent.Create(new { select = new { cause = "no2:above-maximum" }, reason = "Probe" }),
        "datasets/{dataset}/release" => JsonContent.Create(new { state = "RETIRED" }),
        "audit/deletions" => JsonContent.Create(new { sequences = new[] { 1 }, reason = "Probe", authority = "Probe" }),
        "dataspaces/{dataspace}" => JsonContent.Create(new { title = relation, owner = relation }),
        "dataspaces/{dataspace}/grants" => JsonContent.Create(Grant(relation)),
        "dataspaces/{dataspace}/grants/{grant}/revocation" => JsonContent.Create(new { why = "Probe" }),
        "files" => new StringContent("a;b\n1;2\n", Encoding.UTF8, "text/csv"),
        "lineage" => JsonContent.Create(Event(relation)),
        "jobs/{job}" => Job(relation),
        "jobs/{job}/backfill" => JsonContent.Create(new { from = "2026-03-01T00:00:00Z", to = "2026-03-02T00:00:00Z", schedule = new { cron = "0 0 * * *", timeZone = "UTC" } }),
        "jobs/{job}/backfill/acts" => JsonContent.Create(new { act = "cancel" }),
        "jobs/{job}/shadow" => new StringContent("""{ "version": null }""", Encoding.UTF8, "application/json"),
        "jobs/{job}/promotion" => JsonContent.Create(new { version = 1 }),
        "jobs/{job}/runs" => JsonContent.Create(new { }),
        "runs/{run}/acts" => JsonContent.Create(new { act = "abort", reason = "Probe" }),
        "indicators/{indicator}" => JsonContent.Create(Indicator(relation)),
        var other => throw new InvalidOperationException($"{route}: no body for {other}"),
    };

    private const string Areas = "id,parent,name,level\n1,,Eins,0\n";

    /// <summary>Wider each time: a change of the contract.</summary>
    private static StringContent Dataset(string relation, int change) => new($$"""
        { "title": "{{relation}}", "publisher": "{{relation}}", "kind": "observations", "access": "internal", "license": "dl-de/by-2-0" {{(relation == "none" ? "" : $", \"dataspace\": \"r-{relation}\"")}},
          "schema": { "primaryKey": ["station", "time"], "fields": [
            { "name": "station", "type": "string", "role": "series" }, { "name": "time", "type": "datetime", "role": "time" }, { "name": "no2", "type": "number", "role": "measure", "constraints": { "maximum": {{1000 + change}} } } ] } }
        """, Encoding.UTF8, "application/json");

    private static object Indicator(string relation) => new { title = relation, dataset = "d-" + relation, measure = new { function = "sum", field = "no2" }, window = "PT1H" };

    /// <summary>One of which a byte is there and another is still to come.</summary>
    private static async Task<string> FileAsync(HubFixture hub, string relation)
    {
        using var begin = new HttpRequestMessage(HttpMethod.Post, $"api/v1/files?agency={relation}&name=a.csv{(relation == "none" ? "" : "&dataspace=r-" + relation)}") { Headers = { { "Upload-Length", "1000" } } };
        return (await OkAsync(hub.Admin.SendAsync(begin))).RootElement.GetProperty("id").GetString()!;
    }

    private static StringContent Job(string relation) => new($$"""
        { "title": "{{relation}}", "agency": "{{relation}}" {{(relation == "none" ? "" : $", \"dataspace\": \"r-{relation}\"")}}, "steps": [ { "id": "zeilen", "read": { "dataset": "d-{{relation}}" } } ] }
        """, Encoding.UTF8, "application/json");

    private static object Event(string relation) => new
    {
        eventType = "COMPLETE",
        eventTime = "2026-11-28T07:31:00Z",
        run = new { runId = "01a23cd6-0e70-7e25-a804-ae78cf95192a" },
        job = new { @namespace = relation, name = "werkzeug" },
        producer = "urn:probe",
        schemaURL = "urn:probe",
    };

    private static StringContent Row() => new("""[{ "station": "a", "time": "2026-03-02T08:00:00Z", "no2": 1 }]""", Encoding.UTF8, "application/json");

    private static object PullKey() => new { host = "anderer.example", key = "dh_probe" };

    private static object Erasure() => new { where = new { station = "niemand" }, reason = "Probe", authority = "Art. 17 DSGVO" };

    private static object Grant(string relation) => new { group = relation + "/gruppe", role = "reader", why = "Probe" };

    private static object Agreement(string relation) => new
    {
        title = "Probe",
        provider = relation,
        recipient = "partner",
        dataset = "d-" + relation,
        purposes = new[] { new { id = "probe", text = "Probe" } },
        term = new { from = "2026-12-01T00:00:00Z", until = "2027-12-01T00:00:00Z", notice = "P1M" },
    };

    private sealed class City(Dictionary<string, Dictionary<string, string>> ids, (string Who, HttpClient Client)[] callers)
    {
        public int Changes;

        public Dictionary<string, Dictionary<string, string>> Ids => ids;

        public (string Who, HttpClient Client)[] Callers => callers;
    }
}
