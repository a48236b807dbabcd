using System.Globalization;
using System.Text;
using System.Text.Json;
using NetTopologySuite.Algorithm;
using NetTopologySuite.Geometries;
using NetTopologySuite.Geometries.Utilities;
using NetTopologySuite.IO;
using NetTopologySuite.Operation.Union;
using NetTopologySuite.Operation.Valid;

namespace DataHub.Catalog;

/// <summary>
/// Area systems as GeoJSON (RFC 7946): a FeatureCollection of polygons and multipolygons whose properties are <c>id</c>,
/// <c>parent</c>, <c>name</c>, <c>level</c> and <c>population</c>. Other properties are ignored. <c>title</c> names the system, <c>levels</c> its levels from the coarsest on.
/// </summary>
internal static class AreaGeoJson
{
    public const string ContentType = "application/geo+json";

    private static readonly GeometryFactory s_factory = new();

    /// <summary>
    /// Reads a whole system. Features with one id are merged; a ring that is not valid is repaired and reported; a level
    /// that is not given follows from the parents.
    /// </summary>
    /// <exception cref="AreaImportException">Not GeoJSON, or a member is missing or contradicts another; names the feature, counted from 1.</exception>
    public static AreaImport Read(ReadOnlyMemory<byte> body)
    {
        var (title, levelTitles, features) = Parse(body);
        var groups = Group(features);
        var repaired = new List<RepairedArea>();
        var areas = new List<Area>(groups.Count);
        foreach (var (id, parts) in groups)
        {
            areas.Add(new(
                id,
                Agreed(parts, "parent", f => f.Parent),
                parts.Select(f => f.Name).FirstOrDefault(n => n is not null) ?? "",
                (int)(Agreed(parts, "level", f => f.Level) ?? -1),
                Agreed(parts, "population", f => f.Population),
                Merge(id, parts, repaired)));
        }

        return new(title, WithLevels(areas), repaired, Merged(groups)) { LevelTitles = levelTitles };
    }

    /// <summary>Reads polygons only: what they are of is said by their id alone.</summary>
    /// <exception cref="AreaImportException">Not GeoJSON, or a feature has no polygon; names the feature, counted from 1.</exception>
    public static (IReadOnlyDictionary<string, byte[]> Geometries, IReadOnlyList<RepairedArea> Repaired, IReadOnlyList<string> Merged) ReadGeometries(ReadOnlyMemory<byte> body)
    {
        var groups = Group(Parse(body).Features);
        var repaired = new List<RepairedArea>();
        var geometries = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (id, parts) in groups)
        {
            geometries[id] = Merge(id, parts, repaired)
                ?? throw Wrong(ProblemTypes.InvalidAreas, $"Gebiet „{id}“ hat keine Fläche (geometry).", $"Area “{id}” has no geometry.");
        }

        return (geometries, repaired, Merged(groups));
    }

    /// <summary>The areas of one level, or of all levels, with their polygons; areas without one have a null geometry.</summary>
    public static byte[] Write(AreaTree tree, int? level)
    {
        var reader = new WKBReader();
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, new() { Encoder = WireJson.Options.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("type", "FeatureCollection");
            json.WriteString("system", tree.System.Id);
            json.WriteNumber("version", tree.System.Version);
            if (tree.System.Title is { } title)
            {
                json.WritePropertyName("title");
                JsonSerializer.Serialize(json, title, WireJson.Options);
            }

            if (tree.System.LevelTitles is { } levelTitles)
            {
                json.WritePropertyName("levels");
                JsonSerializer.Serialize(json, levelTitles, WireJson.Options);
            }

            json.WriteStartArray("features");
            foreach (var area in level is { } only ? tree.AtLevel(only) : Enumerable.Range(0, tree.Levels).SelectMany(tree.AtLevel)) WriteFeature(json, area, reader);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return body.ToArray();
    }

    private static void WriteFeature(Utf8JsonWriter json, Area area, WKBReader reader)
    {
        json.WriteStartObject();
        json.WriteString("type", "Feature");
        json.WriteString("id", area.Id);
        json.WriteStartObject("properties");
        json.WriteString("id", area.Id);
        json.WriteString("parent", area.Parent);
        json.WriteString("name", area.Name);
        json.WriteNumber("level", area.Level);
        if (area.Population is { } population) json.WriteNumber("population", population);
        json.WriteEndObject();
        json.WritePropertyName("geometry");
        WriteGeometry(json, area, reader);
        json.WriteEndObject();
    }

    /// <summary>The geometry of an area as GeoJSON; null where it has none.</summary>
    public static byte[]? Geometry(Area area)
    {
        if (area.Geometry is null) return null;
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body)) WriteGeometry(json, area, new WKBReader());
        return body.ToArray();
    }

    private static void WriteGeometry(Utf8JsonWriter json, Area area, WKBReader reader)
    {
        var polygons = area.Geometry is null ? [] : Polygons(reader.Read(area.Geometry)).ToArray();
        if (polygons.Length == 0)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteStartObject();
            json.WriteString("type", polygons.Length == 1 ? "Polygon" : "MultiPolygon");
            json.WriteStartArray("coordinates");
            foreach (var polygon in polygons)
            {
                if (polygons.Length > 1) json.WriteStartArray();
                WriteRing(json, polygon.ExteriorRing, counterClockwise: true);
                foreach (var hole in polygon.InteriorRings) WriteRing(json, hole, counterClockwise: false);
                if (polygons.Length > 1) json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    /// <summary>RFC 7946 §3.1.6: exterior rings run counter-clockwise, holes clockwise.</summary>
    private static void WriteRing(Utf8JsonWriter json, LineString ring, bool counterClockwise)
    {
        var points = ring.Coordinates;
        if (Orientation.IsCCW(points) != counterClockwise) Array.Reverse(points);
        json.WriteStartArray();
        foreach (var point in points)
        {
            json.WriteStartArray();
            json.WriteNumberValue(point.X);
            json.WriteNumberValue(point.Y);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static IEnumerable<Polygon> Polygons(Geometry geometry)
    {
        for (var i = 0; i < geometry.NumGeometries; i++)
        {
            if (geometry.GetGeometryN(i) is Polygon { IsEmpty: false } polygon) yield return polygon;
        }
    }

    private static (LocalText? Title, LocalText[]? LevelTitles, List<Feature> Features) Parse(ReadOnlyMemory<byte> body)
    {
        if (body.Span.StartsWith(Encoding.UTF8.Preamble)) body = body[Encoding.UTF8.Preamble.Length..];
        try
        {
            using var document = JsonDocument.Parse(body, new() { MaxDepth = 32 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "type") != "FeatureCollection" || !root.TryGetProperty("features", out var list) || list.ValueKind != JsonValueKind.Array)
                throw Wrong(ProblemTypes.InvalidJson, "Erwartet wird eine FeatureCollection mit „features“ (RFC 7946).", "A FeatureCollection with “features” is expected (RFC 7946).");
            if (root.TryGetProperty("crs", out var crs) && crs.ValueKind == JsonValueKind.Object && !IsWgs84(crs))
                throw Wrong(ProblemTypes.InvalidAreas, "Die Koordinaten müssen WGS 84 (Länge, Breite) sein; „crs“ nennt ein anderes System.", "Coordinates must be WGS 84 (longitude, latitude); “crs” names another system.");
            var title = root.TryGetProperty("title", out var given) ? given.Deserialize<LocalText>(WireJson.Options) : null;
            var levelTitles = root.TryGetProperty("levels", out var named) ? named.Deserialize<LocalText[]>(WireJson.Options) : null;
            if (levelTitles is not null && Array.Exists(levelTitles, t => t is null))
                throw Wrong(ProblemTypes.InvalidAreas, "„levels“: jede Ebene braucht einen Titel.", "“levels”: each level needs a title.");
            var features = new List<Feature>(list.GetArrayLength());
            foreach (var feature in list.EnumerateArray()) features.Add(ParseFeature(feature, features.Count + 1));
            return (title, levelTitles, features);
        }
        catch (JsonException e)
        {
            var fault = Requests.Fault(e);
            throw Wrong(ProblemTypes.InvalidJson, fault.De, fault.En!);
        }
    }

    private static bool IsWgs84(JsonElement crs) =>
        crs.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object && Text(properties, "name") is { } name
        && (name.EndsWith("CRS84", StringComparison.OrdinalIgnoreCase) || name.EndsWith(":4326", StringComparison.Ordinal));

    private static Feature ParseFeature(JsonElement feature, int number)
    {
        if (feature.ValueKind != JsonValueKind.Object || Text(feature, "type") != "Feature")
            throw Wrong(ProblemTypes.InvalidJson, $"Element {number} ist kein Feature.", $"Element {number} is not a Feature.");
        var properties = feature.TryGetProperty("properties", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        var id = (properties.ValueKind == JsonValueKind.Object ? Text(properties, "id") : null) ?? Text(feature, "id");
        if (string.IsNullOrEmpty(id))
            throw Wrong(ProblemTypes.InvalidAreas, $"Feature {number} hat keine Kennung: „id“ muss ein Text sein.", $"Feature {number} has no id: “id” must be a text.");

        var problems = new List<RepairedArea>();
        var polygons = feature.TryGetProperty("geometry", out var geometry) && geometry.ValueKind != JsonValueKind.Null ? ParseGeometry(geometry, id, number, problems) : [];
        return properties.ValueKind != JsonValueKind.Object
            ? new(id, null, null, null, null, polygons, problems)
            : new(id, Text(properties, "parent") is { Length: > 0 } parent ? parent : null, Text(properties, "name"), Number(properties, "level", id), Number(properties, "population", id), polygons, problems);
    }

    private static List<Polygon> ParseGeometry(JsonElement geometry, string id, int number, List<RepairedArea> problems)
    {
        var kind = geometry.ValueKind == JsonValueKind.Object ? Text(geometry, "type") : null;
        if (kind is not ("Polygon" or "MultiPolygon") || !geometry.TryGetProperty("coordinates", out var coordinates) || coordinates.ValueKind != JsonValueKind.Array)
            throw Wrong(ProblemTypes.InvalidAreas, $"Feature {number} („{id}“): die Fläche muss Polygon oder MultiPolygon sein, nicht „{kind}“.", $"Feature {number} (“{id}”): the geometry must be a Polygon or MultiPolygon, not “{kind}”.");
        var polygons = new List<Polygon>();
        foreach (var rings in kind == "Polygon" ? Enumerable.Repeat(coordinates, 1) : coordinates.EnumerateArray())
        {
            LinearRing? shell = null;
            var holes = new List<LinearRing>();
            var first = true;
            foreach (var points in Elements(rings, id, number))
            {
                var ring = ParseRing(points, id, number, problems);
                if (first) shell = ring;
                else if (ring is not null) holes.Add(ring);
                first = false;
            }

            if (shell is not null) polygons.Add(s_factory.CreatePolygon(shell, [.. holes]));
        }

        return polygons;
    }

    /// <returns>Null, and a note, where fewer than three different points are left.</returns>
    private static LinearRing? ParseRing(JsonElement points, string id, int number, List<RepairedArea> problems)
    {
        var ring = new List<Coordinate>();
        foreach (var point in Elements(points, id, number))
        {
            if (point.ValueKind != JsonValueKind.Array || point.GetArrayLength() < 2
                || point[0].ValueKind != JsonValueKind.Number || point[1].ValueKind != JsonValueKind.Number
                || !point[0].TryGetDouble(out var longitude) || !point[1].TryGetDouble(out var latitude)
                || !(Math.Abs(longitude) <= 180) || !(Math.Abs(latitude) <= 90))
            {
                throw Wrong(ProblemTypes.InvalidAreas,
                    $"Feature {number} („{id}“): {Shortened(point)} ist kein Punkt in WGS 84; erwartet wird [Länge −180…180, Breite −90…90].",
                    $"Feature {number} (“{id}”): {Shortened(point)} is not a point in WGS 84; [longitude −180…180, latitude −90…90] is expected.");
            }

            ring.Add(new(longitude, latitude));
        }

        if (ring.Count > 0 && !ring[0].Equals2D(ring[^1]))
        {
            problems.Add(new(id, "ring-not-closed", [ring[^1].X, ring[^1].Y]));
            ring.Add(ring[0].Copy());
        }

        if (ring.Count >= 4) return s_factory.CreateLinearRing([.. ring]);
        problems.Add(new(id, "too-few-points", ring.Count == 0 ? null : [ring[0].X, ring[0].Y]));
        return null;
    }

    private static List<KeyValuePair<string, List<Feature>>> Group(List<Feature> features)
    {
        var groups = new Dictionary<string, List<Feature>>(StringComparer.Ordinal);
        var order = new List<KeyValuePair<string, List<Feature>>>();
        foreach (var feature in features)
        {
            if (!groups.TryGetValue(feature.Id, out var parts))
            {
                groups.Add(feature.Id, parts = []);
                order.Add(new(feature.Id, parts));
            }

            parts.Add(feature);
        }

        return order;
    }

    private static string[] Merged(List<KeyValuePair<string, List<Feature>>> groups) => [.. groups.Where(g => g.Value.Count > 1).Select(g => g.Key)];

    /// <summary>One geometry of all parts, valid; null where no part has any.</summary>
    private static byte[]? Merge(string id, List<Feature> parts, List<RepairedArea> repaired)
    {
        repaired.AddRange(parts.SelectMany(p => p.Problems));
        if (parts.All(p => p.Polygons.Count == 0))
        {
            return parts.All(p => p.Problems.Count == 0)
                ? null
                : throw Wrong(ProblemTypes.InvalidAreas, $"Gebiet „{id}“: kein Ring der Fläche ist brauchbar.", $"Area “{id}”: no ring of the geometry is usable.");
        }

        var shapes = parts.Where(p => p.Polygons.Count > 0)
            .Select(p => Valid(id, p.Polygons.Count == 1 ? p.Polygons[0] : s_factory.CreateMultiPolygon([.. p.Polygons]), repaired)).ToList();
        var whole = shapes.Count == 1 ? shapes[0] : UnaryUnionOp.Union(shapes);
        var polygons = Polygons(whole).ToArray();
        if (polygons.Length == 0)
            throw Wrong(ProblemTypes.InvalidAreas, $"Gebiet „{id}“: die Fläche ist leer, auch nach Reparatur.", $"Area “{id}”: the geometry is empty, even repaired.");
        return new WKBWriter(ByteOrder.LittleEndian).Write(polygons.Length == 1 ? polygons[0] : s_factory.CreateMultiPolygon(polygons));
    }

    private static Geometry Valid(string id, Geometry shape, List<RepairedArea> repaired)
    {
        var check = new IsValidOp(shape);
        if (check.IsValid) return shape;
        var error = check.ValidationError;
        repaired.Add(new(id, Word(error.ErrorType), error.Coordinate is { } at ? [at.X, at.Y] : null));
        return GeometryFixer.Fix(shape);
    }

    /// <summary>The error's name as a stable word: <c>SelfIntersection</c> is <c>self-intersection</c>.</summary>
    private static string Word(TopologyValidationErrors error)
    {
        var word = new StringBuilder();
        foreach (var c in error.ToString())
        {
            if (char.IsUpper(c) && word.Length > 0) word.Append('-');
            word.Append(char.ToLowerInvariant(c));
        }

        return word.ToString();
    }

    /// <summary>Levels that were not given: 0 without a parent, else one more than the parent's. Loops and unknown parents are left for the check of the tree to refuse.</summary>
    private static List<Area> WithLevels(List<Area> areas)
    {
        if (areas.All(a => a.Level >= 0)) return areas;
        var byId = areas.ToDictionary(a => a.Id, StringComparer.Ordinal);
        return areas.ConvertAll(area =>
        {
            if (area.Level >= 0) return area;
            var level = 0;
            for (var above = area; above.Parent is not null && level <= areas.Count; level++)
            {
                if (!byId.TryGetValue(above.Parent, out var parent)) return area with { Level = 0 };
                above = parent;
                if (above.Level >= 0) return area with { Level = level + 1 + above.Level };
            }

            return area with { Level = level > areas.Count ? 0 : level };
        });
    }

    private static T? Agreed<T>(List<Feature> parts, string member, Func<Feature, T?> read)
    {
        var given = parts.Select(read).Where(v => v is not null).Distinct().ToArray();
        return given.Length <= 1
            ? given.FirstOrDefault()
            : throw Wrong(ProblemTypes.InvalidAreas,
                $"Gebiet „{parts[0].Id}“ steht in mehreren Features, die sich bei „{member}“ widersprechen: {given[0]} und {given[1]}.",
                $"Area “{parts[0].Id}” stands in several features that contradict each other in “{member}”: {given[0]} and {given[1]}.");
    }

    private static string? Text(JsonElement json, string member) =>
        json.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement properties, string member, string id)
    {
        if (!properties.TryGetProperty(member, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        var number = 0L;
        var read = value.ValueKind == JsonValueKind.Number ? value.TryGetInt64(out number)
            : value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        if (read && (member != "level" || number is >= 0 and <= 100)) return number;
        throw Wrong(ProblemTypes.InvalidAreas, $"Gebiet „{id}“: „{member}“ ist {Shortened(value)}, erwartet wird eine ganze Zahl ab 0.", $"Area “{id}”: “{member}” is {Shortened(value)}, an integer from 0 is expected.");
    }

    private static JsonElement.ArrayEnumerator Elements(JsonElement array, string id, int number) => array.ValueKind == JsonValueKind.Array
        ? array.EnumerateArray()
        : throw Wrong(ProblemTypes.InvalidAreas, $"Feature {number} („{id}“): „coordinates“ ist nicht tief genug geschachtelt.", $"Feature {number} (“{id}”): “coordinates” is not nested deeply enough.");

    private static string Shortened(JsonElement json) => json.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : json.GetRawText();

    private static AreaImportException Wrong(ProblemType type, string de, string en) => new(type, new(de, en));

    private sealed record Feature(string Id, string? Parent, string? Name, long? Level, long? Population, List<Polygon> Polygons, List<RepairedArea> Problems);
}
