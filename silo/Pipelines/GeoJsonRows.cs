using System.Globalization;
using System.Text;
using System.Text.Json;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// Features of a GeoJSON file (RFC 7946) as rows: properties are columns; points are two more, other geometries one of
/// well-known text with the coordinates as they are written. A property of such a name goes by <c>properties.</c> and its name.
/// </summary>
internal sealed class GeoJsonRows(Stream file) : JsonRows(file, false, LonName, LatName, GeometryName, IdName)
{
    private const string LonName = "lon", LatName = "lat", GeometryName = "geometry", IdName = "feature.id";
    private const int Lon = 0, Lat = 1, Geometry = 2, Id = 3;

    private static readonly string[] s_zones = ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "OGC:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"];

    private readonly StringBuilder _wkt = new();
    private bool _others, _points, _ids, _isCollection;
    private int _dimensions;
    private (double X, double Y) _last;

    protected override string Kind => "GeoJSON";

    public override bool IsLeftOut(int column, bool any) => column switch
    {
        Lon or Lat => _others || !_points,
        Geometry => !_others,
        Id => !_ids,
        _ => false,
    };

    protected override bool IsList(string name) => name == "features";

    protected override bool Around(string name)
    {
        if (name == "type") _isCollection = Tokens.Text == "FeatureCollection";
        if (name != "crs" || Tokens.Type == JsonTokenType.Null) return false;
        // Of before RFC 7946: { "type": "name", "properties": { "name": "…" } }.
        string? named = null;
        for (var depth = Tokens.Depth; Tokens.Type == JsonTokenType.StartObject || Tokens.Depth > depth;)
        {
            if (Tokens.Next() == JsonTokenType.PropertyName && Tokens.Text == "name" && Tokens.Next() == JsonTokenType.String) named = Tokens.Text;
            if (Tokens.Type == JsonTokenType.EndObject && Tokens.Depth == depth) break;
        }

        return named is not null && s_zones.Contains(named, StringComparer.OrdinalIgnoreCase) ? true : throw new StepException(new(
            $"Die Koordinaten sind in „{named}“; GeoJSON ist in WGS 84 (Länge, Breite in Grad). Vorher umrechnen, etwa mit ogr2ogr -t_srs EPSG:4326.",
            $"The coordinates are in “{named}”; GeoJSON is in WGS 84 (longitude, latitude in degrees). Convert them first, for example by ogr2ogr -t_srs EPSG:4326."));
    }

    protected override void Whole()
    {
        if (!_isCollection) throw new StepException(new("Die Datei ist keine FeatureCollection.", "The file is no FeatureCollection."));
    }

    protected override void ReadRow()
    {
        var (isFeature, hasGeometry, hasProperties) = (false, false, false);
        while (Tokens.Next() == JsonTokenType.PropertyName)
        {
            var name = Tokens.Text;
            Tokens.Next();
            switch (name)
            {
                case "type": isFeature = Tokens.Text == "Feature"; break;
                case "id":
                    Set(Id, Value(name));
                    _ids = true;
                    break;
                case "geometry":
                    if (hasGeometry) Wrong("„geometry“ steht zweimal in dem Objekt.", "“geometry” stands twice in the object.");
                    hasGeometry = true;
                    if (Tokens.Type != JsonTokenType.Null) ReadGeometry();
                    break;
                case "properties" when Tokens.Type == JsonTokenType.StartObject:
                    if (hasProperties) Wrong("„properties“ steht zweimal in dem Objekt.", "“properties” stands twice in the object.");
                    hasProperties = true;
                    ReadMembers("properties.");
                    break;
            }

            Tokens.Skip();
        }

        if (!isFeature) Wrong("Hier steht kein Feature.", "There is no feature here.");
    }

    protected override string HeadingOf(string name) => name is LonName or LatName or GeometryName or IdName ? "properties." + name : name;

    private void ReadGeometry()
    {
        if (Tokens.Type != JsonTokenType.StartObject)
        {
            Wrong("geometry ist kein Objekt.", "geometry is no object.");
            Tokens.Skip();
            return;
        }

        _wkt.Clear();
        _dimensions = 0;
        var type = ReadShape();
        if (type is null) return;
        if (type == "Point" && _dimensions == 2)
        {
            _points = true;
            Set(Lon, TypedCell.Of(_last.X));
            Set(Lat, TypedCell.Of(_last.Y));
        }
        else
        {
            _others = true;
        }

        Set(Geometry, TypedCell.Of(_wkt.ToString()));
    }

    /// <summary>Appends the geometry object that begins here as well-known text; afterwards it is at its end.</summary>
    /// <returns>Its type; null where it is none, which is told.</returns>
    private string? ReadShape()
    {
        var (start, type, depth, coordinates) = (_wkt.Length, "", -1, false);
        var (parts, foreign) = (0, false);
        while (Tokens.Next() == JsonTokenType.PropertyName)
        {
            var name = Tokens.Text;
            Tokens.Next();
            if (name == "type" && Tokens.Type == JsonTokenType.String)
            {
                type = Tokens.Text;
            }
            else if (name == "coordinates" && Tokens.Type == JsonTokenType.StartArray && !coordinates)
            {
                coordinates = true;
                depth = ReadCoordinates();
            }
            else if (name == "geometries" && Tokens.Type == JsonTokenType.StartArray)
            {
                _wkt.Append('(');
                while (Tokens.Next() != JsonTokenType.EndArray)
                {
                    if (parts++ > 0) _wkt.Append(", ");
                    if (Tokens.Type == JsonTokenType.StartObject)
                    {
                        foreign |= ReadShape() is null;
                        continue;
                    }

                    foreign = true;
                    Tokens.Skip();
                }

                _wkt.Append(')');
            }
            else
            {
                Tokens.Skip();
            }
        }

        var expected = type switch { "Point" => 1, "MultiPoint" or "LineString" => 2, "Polygon" or "MultiLineString" => 3, "MultiPolygon" => 4, "GeometryCollection" => -1, _ => -2 };
        if (foreign || expected == -2 || (depth != expected && depth != 0))
        {
            Wrong("geometry ist keine Geometrie nach RFC 7946.", "geometry is no geometry of RFC 7946.");
            return null;
        }

        var body = _wkt.ToString(start, _wkt.Length - start);
        _wkt.Length = start;
        _wkt.Append(type.ToUpperInvariant()).Append(_dimensions == 3 ? " Z " : " ")
            .Append(depth == 0 || (expected == -1 && parts == 0) ? "EMPTY" : expected == 1 ? $"({body})" : body);
        return type;
    }

    /// <summary>Appends nested lists of numbers; afterwards it is at their end.</summary>
    /// <returns>How deep they are; 0: empty; −3: not lists of numbers of one depth.</returns>
    private int ReadCoordinates()
    {
        var (depth, count) = (0, 0);
        for (; Tokens.Next() != JsonTokenType.EndArray; count++)
        {
            int found;
            if (_wkt.Length > CsvFile.LongestCell)
            {
                Wrong($"Die Geometrie ist als Text länger als {CsvFile.LongestCell} Zeichen.", $"As text the geometry is longer than {CsvFile.LongestCell} characters.");
                Tokens.Skip();
                depth = -3;
                continue;
            }

            if (Tokens.Type == JsonTokenType.Number)
            {
                if (count > 0) _wkt.Append(' ');
                _wkt.Append(Tokens.Text);
                if (count < 2) Keep(count);
                found = 1;
            }
            else if (Tokens.Type == JsonTokenType.StartArray)
            {
                _wkt.Append(count > 0 ? ", " : "(");
                found = ReadCoordinates() is > 0 and var inner ? inner + 1 : -3;
            }
            else
            {
                Tokens.Skip();
                found = -3;
            }

            depth = count == 0 || depth == found ? found : -3;
        }

        if (depth > 1) _wkt.Append(')');
        if (depth != 1) return depth;
        if (count is not (2 or 3) || (_dimensions != 0 && _dimensions != count)) return -3;
        _dimensions = count;
        return 1;
    }

    private void Keep(int axis)
    {
        var value = double.TryParse(Tokens.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;
        if (!(Math.Abs(value) <= (axis == 0 ? 180 : 90))) Wrong($"{Tokens.Text} ist keine {(axis == 0 ? "Länge" : "Breite")} in Grad.", $"{Tokens.Text} is no {(axis == 0 ? "longitude" : "latitude")} in degrees.");
        if (axis == 0) _last.X = value;
        else _last.Y = value;
    }
}
