using System.Globalization;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace DataHub.Catalog;

/// <summary>Area systems (design §5, "Areas").</summary>
internal static class AreaEndpoints
{
    /// <summary>Areas of one page where the caller names no limit, and at most.</summary>
    private const int PageSize = 1_000, MaxPageSize = 10_000;

    /// <summary>How often polygons are joined to a tree anew when somebody else changed it meanwhile.</summary>
    private const int MaxAttempts = 5;

    /// <summary>How many repairs an answer lists; <c>repairedCount</c> counts them all.</summary>
    private const int MaxRepairsShown = 1_000;

    private const string Csv = AreaCsv.ContentType + "; charset=utf-8", Json = "application/json";

    private static readonly LocalText s_system = new("Gebietssystem", "Area system");

    public static void MapAreaEndpoints(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/v1/areas").WithTags("Areas");
        group.MapRead("", ListAsync).WithSummary("Lists the area systems, by id.").Produces<AreaSystemListJson>().Paged();
        group.MapPut("{system}", PutAsync)
            .WithSummary("Puts a whole area system as CSV (id,parent,name,level[,population]) or GeoJSON with the same as properties; with merge=geometry GeoJSON gives polygons to areas that are there. For admin keys of the platform.")
            .Accepts<string>(AreaGeoJson.ContentType, AreaCsv.ContentType, Json)
            .Produces<AreaPutJson>().Produces<AreaPutJson>(StatusCodes.Status201Created).Refuses(400, 401, 403, 404, 409, 413, 415, 422);
        group.MapRead("{system}", GetAsync)
            .WithSummary("The present or an earlier version: JSON in pages, or all of it as CSV or GeoJSON by Accept or ?format=.")
            .Produces<AreaPageJson>().Produces<string>(StatusCodes.Status200OK, AreaCsv.ContentType).Produces<string>(StatusCodes.Status200OK, AreaGeoJson.ContentType)
            .Produces(StatusCodes.Status304NotModified).Refuses(400, 404, 406);
    }

    private static async Task<IResult> ListAsync(HttpContext http, IGrainFactory grains)
    {
        if (http.ReadPage(out var after, out var limit) is { } problem) return problem;
        var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.AreaSystems).ListAsync(http.Caller(), after, limit);
        var systems = await Task.WhenAll(ids.Select(id => grains.GetGrain<IAreaSystemGrain>(id).PresentAsync(http.Caller())));
        return Rendered.Json(new AreaSystemListJson(
            [.. systems.OfType<AreaSystemInfo>().Select(s => new AreaSystemJson(s.Id, s.Title, s.Version, s.Areas, s.Levels))],
            ids.Length == limit ? http.Next(ids[^1], limit) : null)).Answer();
    }

    private static async Task<IResult> PutAsync(string system, string? merge, string? title, string? titleEn, HttpContext http, IGrainFactory grains, IOptions<AreaOptions> options)
    {
        if (merge is not (null or "geometry"))
            return Requests.InvalidParameter(http, "merge", new("merge kennt nur den Wert „geometry“.", "merge knows the value “geometry” only."));
        if (titleEn is not null && title is null)
            return Requests.InvalidParameter(http, "titleEn", new("Zu titleEn gehört der deutsche title.", "titleEn needs the German title."));
        var type = MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var given) ? given.MediaType.Value : null;
        var isCsv = AreaCsv.ContentType.Equals(type, StringComparison.OrdinalIgnoreCase);
        if (!isCsv && !AreaGeoJson.ContentType.Equals(type, StringComparison.OrdinalIgnoreCase) && !Json.Equals(type, StringComparison.OrdinalIgnoreCase))
            return Problems.Problem(http, ProblemTypes.UnsupportedType, new($"Hier wird {AreaCsv.ContentType} oder {AreaGeoJson.ContentType} erwartet.", $"{AreaCsv.ContentType} or {AreaGeoJson.ContentType} is expected here."));
        if (isCsv && merge is not null)
            return Requests.InvalidParameter(http, "merge", new("Flächen ergänzt nur GeoJSON.", "Only GeoJSON gives polygons."));
        // Before a large body is read and repaired in vain. The grain decides.
        if (!http.Caller().IsPlatformAdmin)
            return Authentication.Forbidden(http, new("Nötig ist ein Admin-Schlüssel der Plattform.", "An admin key of the platform is needed."));

        var (body, tooLarge) = await http.ReadBytesAsync(options.Value.MaxBodyBytes);
        if (tooLarge) return Requests.TooLarge(http, options.Value.MaxBodyBytes);
        var asked = title is null ? null : new LocalText(title, titleEn);
        try
        {
            return merge is not null
                ? await MergeAsync(system, asked, body, http, grains)
                : await ReplaceAsync(system, asked, isCsv ? AreaCsv.Read(body) : AreaGeoJson.Read(body), http, grains);
        }
        catch (AreaImportException e)
        {
            return Problems.Problem(http, e.Type, e.Detail);
        }
    }

    private static async Task<IResult> ReplaceAsync(string system, LocalText? title, AreaImport import, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(system)) return InvalidId(http, system);
        var result = await grains.GetGrain<IAreaSystemGrain>(system).PutAsync(http.Caller(), title ?? import.Title, [.. import.Areas], null, import.LevelTitles);
        return Answer(http, system, result, import.Areas, import.Repaired, import.Merged);
    }

    /// <summary>Gives polygons to areas of the present version, which may have been put as CSV.</summary>
    private static async Task<IResult> MergeAsync(string system, LocalText? title, ReadOnlyMemory<byte> body, HttpContext http, IGrainFactory grains)
    {
        if (!CatalogIds.IsValid(system)) return Problems.NotFound(http, s_system, system);
        var grain = grains.GetGrain<IAreaSystemGrain>(system);
        var (geometries, repaired, merged) = AreaGeoJson.ReadGeometries(body);
        for (var attempt = 1; ; attempt++)
        {
            if (await grain.GetAsync(http.Caller(), null) is not { } present) return Problems.NotFound(http, s_system, system);
            var known = present.Areas.Select(a => a.Id).ToHashSet(StringComparer.Ordinal);
            var unknown = geometries.Keys.Where(id => !known.Contains(id)).Order(StringComparer.Ordinal).ToArray();
            if (unknown.Length > 0)
            {
                var some = string.Join(", ", unknown.Take(5)) + (unknown.Length > 5 ? ", …" : "");
                return Problems.Problem(http, ProblemTypes.InvalidAreas, new(
                    $"{unknown.Length} der {geometries.Count} Gebiete gibt es in „{system}“ nicht: {some}.",
                    $"{unknown.Length} of the {geometries.Count} areas are not in “{system}”: {some}."));
            }

            var areas = Array.ConvertAll(present.Areas, a => geometries.TryGetValue(a.Id, out var geometry) ? a with { Geometry = geometry } : a);
            var result = await grain.PutAsync(http.Caller(), title, areas, present.Version);
            if (result.Refusal != AreaRefusal.Outdated || attempt == MaxAttempts) return Answer(http, system, result, areas, repaired, merged);
        }
    }

    private static IResult Answer(HttpContext http, string system, AreaSystemResult result, IReadOnlyList<Area> areas, IReadOnlyList<RepairedArea> repaired, IReadOnlyList<string> merged)
    {
        switch (result.Refusal)
        {
            case AreaRefusal.None:
                var json = new AreaPutJson(
                    system, result.Version, result.Areas, areas.Max(a => a.Level) + 1, areas.Count(a => a.Geometry is not null), result.Changed,
                    [.. repaired.Take(MaxRepairsShown).Select(r => new AreaRepairJson(r.Id, r.Problem, r.At))], repaired.Count, [.. merged]);
                return result is { Changed: true, Version: 1 } ? TypedResults.Created($"/api/v1/areas/{system}", json) : TypedResults.Ok(json);
            case AreaRefusal.Forbidden: return Authentication.Forbidden(http, result.Detail!);
            case AreaRefusal.TooMany: return Problems.Problem(http, ProblemTypes.LimitReached, result.Detail!);
            case AreaRefusal.Outdated: return Problems.Problem(http, ProblemTypes.Conflict, result.Detail!);
            case AreaRefusal.Empty or AreaRefusal.InvalidId or AreaRefusal.InvalidArea or AreaRefusal.DuplicateId or AreaRefusal.UnknownParent or AreaRefusal.WrongLevel:
                return Problems.Problem(http, ProblemTypes.InvalidAreas, result.Detail!);
            default: throw new ArgumentOutOfRangeException(nameof(result), result.Refusal, "no refusal that is known here");
        }
    }

    private static async Task<IResult> GetAsync(string system, HttpContext http, IGrainFactory grains, AreaDirectory directory, AreaRenderings renderings)
    {
        if (!CatalogIds.IsValid(system)) return Problems.NotFound(http, s_system, system);
        if (ReadNumber(http, "version", 1, int.MaxValue, out var version) is { } noVersion) return noVersion;
        if (ReadNumber(http, "level", 0, 100, out var level) is { } noLevel) return noLevel;
        if (ReadNumber(http, "limit", 1, MaxPageSize, out var limit) is { } noLimit) return noLimit;
        if (Format(http, out var format) is { } noFormat) return noFormat;

        var wanted = version ?? (await grains.GetGrain<IAreaSystemGrain>(system).PresentAsync(http.Caller()))?.Version;
        if (wanted is null || await directory.GetAsync(system, wanted.Value, http.RequestAborted) is not { Tree: var tree })
            return Problems.NotFound(http, s_system, version is null ? system : $"{system}?version={version}");
        return format switch
        {
            Csv => renderings.Get(tree, Csv, null, () => AreaCsv.Write(tree)).Answer(varies: true),
            AreaGeoJson.ContentType => renderings.Get(tree, AreaGeoJson.ContentType, level, () => AreaGeoJson.Write(tree, level)).Answer(varies: true),
            _ => Rendered.Json(Page(http, tree, level, limit ?? PageSize)).Answer(varies: true),
        };
    }

    private static AreaPageJson Page(HttpContext http, AreaTree tree, int? level, int limit)
    {
        var query = http.Request.Query;
        string? after = query["after"], parent = query["parent"];
        var page = (level is { } only ? tree.AtLevel(only) : tree.Areas)
            .Where(a => (parent is null || a.Parent == parent) && (after is null || string.CompareOrdinal(a.Id, after) > 0))
            .Take(limit + 1)
            .Select(a => new AreaJson(a.Id, a.Parent, a.Name, a.Level, a.Population, a.Geometry is not null))
            .ToArray();
        var next = page.Length <= limit ? null
            : $"{http.Next(page[limit - 1].Id, limit)}{(level is null ? "" : $"&level={level}")}{(parent is null ? "" : $"&parent={Uri.EscapeDataString(parent)}")}&version={tree.System.Version}";
        return new(tree.System.Id, tree.System.Title, tree.System.Version, tree.Levels, tree.Areas.Count, page.Length <= limit ? page : page[..limit], next);
    }

    /// <summary>By <c>?format=</c>, else the first of Accept that there is; JSON where nothing is asked for.</summary>
    private static IResult? Format(HttpContext http, out string format)
    {
        format = Json;
        switch (http.Request.Query["format"].ToString())
        {
            case "json": return null;
            case "csv": format = Csv; return null;
            case "geojson": format = AreaGeoJson.ContentType; return null;
            case "": break;
            default: return Requests.InvalidParameter(http, "format", new("format muss json, csv oder geojson sein.", "format must be json, csv or geojson."));
        }

        if (!MediaTypeHeaderValue.TryParseList(http.Request.Headers.Accept, out var accepted) || accepted.Count == 0) return null;
        foreach (var type in accepted.Where(a => a.Quality is not 0).OrderByDescending(a => a.Quality ?? 1))
        {
            foreach (var offer in (string[])[Json, AreaCsv.ContentType, AreaGeoJson.ContentType])
            {
                if (!new MediaTypeHeaderValue(offer).IsSubsetOf(type)) continue;
                format = offer == AreaCsv.ContentType ? Csv : offer;
                return null;
            }
        }

        return Problems.Problem(http, ProblemTypes.NotAcceptable, new(
            $"Ein Gebietssystem gibt es als {Json}, {AreaCsv.ContentType} und {AreaGeoJson.ContentType}.",
            $"An area system is available as {Json}, {AreaCsv.ContentType} and {AreaGeoJson.ContentType}."));
    }

    private static IResult? ReadNumber(HttpContext http, string name, int min, int max, out int? value)
    {
        value = null;
        if (!http.Request.Query.TryGetValue(name, out var text)) return null;
        if (!int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < min || number > max)
            return Requests.InvalidParameter(http, name, new($"{name} muss eine Zahl von {min} bis {max} sein.", $"{name} must be a number from {min} to {max}."));
        value = number;
        return null;
    }

    private static IResult InvalidId(HttpContext http, string system) =>
        Problems.Problem(http, ProblemTypes.InvalidId, new($"„{system}“ ist keine Kennung: {CatalogIds.Pattern}", $"“{system}” is not an id: {CatalogIds.Pattern}"), ("id", system));
}

/// <param name="Levels">How many levels; areas are at 0 to this minus one.</param>
internal sealed record AreaSystemJson(string Id, LocalText? Title, int Version, int Areas, int Levels);

/// <param name="Next">Path and query of the next page; null on the last.</param>
internal sealed record AreaSystemListJson(AreaSystemJson[] Systems, string? Next);

/// <param name="WithGeometry">How many areas have a polygon.</param>
/// <param name="Changed">Whether this made a new version.</param>
/// <param name="Repaired">Polygons that were put right, at most 1,000 of them.</param>
/// <param name="Merged">Ids that stood in several features.</param>
internal sealed record AreaPutJson(string System, int Version, int Areas, int Levels, int WithGeometry, bool Changed, AreaRepairJson[] Repaired, int RepairedCount, string[] Merged);

/// <param name="Problem">What was wrong, such as self-intersection.</param>
/// <param name="At">Longitude and latitude.</param>
internal sealed record AreaRepairJson(string Id, string Problem, double[]? At);

/// <param name="HasGeometry">Whether it has a polygon; GeoJSON has it.</param>
internal sealed record AreaJson(string Id, string? Parent, string Name, int Level, long? Population, bool HasGeometry);

/// <param name="Areas">By id.</param>
/// <param name="Count">Areas of the whole version.</param>
/// <param name="Next">Path and query of the next page, of the same version; null on the last.</param>
internal sealed record AreaPageJson(string System, LocalText? Title, int Version, int Levels, int Count, AreaJson[] Areas, string? Next);
