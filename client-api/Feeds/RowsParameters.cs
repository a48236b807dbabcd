using System.Buffers.Text;
using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Indicators;

using Microsoft.AspNetCore.Http;

namespace DataHub.Feeds;

/// <summary>Reads the parameters of rows, strictly: what is unknown, repeated or malformed is a 400 that names it.</summary>
internal static class RowsParameters
{
    public const int DefaultLimit = 1_000;
    public const int MaxLimit = 10_000;

    /// <summary>Most conditions on rows in one query.</summary>
    public const int MaxFilters = 8;

    /// <summary>Before the name of a field that must have a value.</summary>
    public const string FilterPrefix = "filter.";

    private const string CursorPrefix = "r1.";

    private static readonly string[] s_rows = ["from", "to", "area", "fields", FilterPrefix + "…", "watermark", "limit", "after", "format", "meta"];
    private static readonly TimeZoneInfo s_zone = TimeZoneInfo.FindSystemTimeZoneById(CompiledContract.DefaultTimeZone);

    /// <summary>The columns asked for, in the contract's order; null: all of them.</summary>
    /// <returns>Which of all the columns, or the problem to answer with.</returns>
    public static (bool[]? Columns, IResult? Problem) ReadFields(HttpContext http, FieldSpec[] all)
    {
        if (Text(http, "fields") is not { } text) return (null, null);
        var columns = new bool[all.Length];
        foreach (var name in text.Split(','))
        {
            var column = Array.FindIndex(all, field => field.Name == name);
            if (column < 0)
            {
                var known = string.Join(", ", all.Select(field => field.Name));
                return (null, Requests.InvalidParameter(http, "fields", new(
                    $"fields: „{name}“ gibt es nicht; es gibt {known}, durch Kommas getrennt.", $"fields: There is no “{name}”; there are {known}, separated by commas.")));
            }

            if (columns[column]) return (null, Requests.InvalidParameter(http, "fields", new($"fields: „{name}“ steht zweimal da.", $"fields: “{name}” occurs twice.")));
            columns[column] = true;
        }

        return (columns, null);
    }

    /// <summary>The query for rows, or the problem to answer with.</summary>
    public static (RowsQuery? Query, IResult? Problem) ReadRows(HttpContext http)
    {
        if (Strict(http, s_rows) is { } unknown) return (null, unknown);
        if (Time(http, "from", out var from) is { } badFrom) return (null, badFrom);
        if (Time(http, "to", out var to) is { } badTo) return (null, badTo);
        if (from >= to) return (null, Requests.InvalidParameter(http, "to", new("to muss nach from liegen; das Ende gehört nicht mehr dazu.", "to must be after from; the end itself does not belong to the range.")));
        if (AtLeast(http, out var watermark) is { } badWatermark) return (null, badWatermark);
        if (Limit(http, MaxLimit, DefaultLimit, out var limit) is { } badLimit) return (null, badLimit);
        var area = Text(http, "area");
        if (area is { Length: 0 or > 200 }) return (null, Requests.InvalidParameter(http, "area", new("area muss die Kennung eines Gebiets sein.", "area must be the id of an area.")));
        RowCursor? after = null;
        if (Text(http, "after") is { } cursor && !TryCursor(cursor, out after)) return (null, BadCursor(http));
        var filters = http.Request.Query.Where(parameter => parameter.Key.StartsWith(FilterPrefix, StringComparison.Ordinal))
            .Select(parameter => new RowFilter(parameter.Key[FilterPrefix.Length..], parameter.Value.ToString())).OrderBy(filter => filter.Field, StringComparer.Ordinal).ToArray();
        if (filters.Length > MaxFilters)
            return (null, Requests.InvalidParameter(http, FilterPrefix + filters[MaxFilters].Field, new($"Es darf höchstens {MaxFilters} Filter geben.", $"There may be {MaxFilters} filters at most.")));
        return (new(from, to, area, watermark, after, limit) { Filters = filters }, null);
    }

    /// <summary>Path and query of the page after a row: only what decides its rows, in one order, so that equal answers are equal bytes.</summary>
    public static string Next(HttpContext http, RowsQuery query, RowCursor after, AnswerFormat format)
    {
        var link = new StringBuilder($"{http.Request.PathBase}{http.Request.Path}?limit=").Append(query.Limit.ToString(CultureInfo.InvariantCulture));
        Add("from", Instant(query.From));
        Add("to", Instant(query.To));
        Add("area", query.Area);
        Add("fields", Text(http, "fields"));
        foreach (var filter in query.Filters) Add(FilterPrefix + Uri.EscapeDataString(filter.Field), filter.Value);
        if (AnswerFormats.Parameters(format) is { } named) link.Append('&').Append(named);
        Add("after", $"{CursorPrefix}{after.Time.ToString(CultureInfo.InvariantCulture)}.{Base64Url.EncodeToString(after.Key)}");
        return link.ToString();

        void Add(string name, string? value)
        {
            if (value is not null) link.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        static string? Instant(DateTimeOffset? instant) => instant?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
    }

    private static bool TryCursor(string text, out RowCursor? cursor)
    {
        cursor = null;
        // The longest key has eight texts, each character of which may take three bytes.
        if (text.Length > 32_768 || !text.StartsWith(CursorPrefix, StringComparison.Ordinal)) return false;
        var dot = text.IndexOf('.', CursorPrefix.Length);
        if (dot < 0 || !long.TryParse(text.AsSpan(CursorPrefix.Length, dot - CursorPrefix.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)) return false;
        try
        {
            cursor = new(time, Base64Url.DecodeFromChars(text.AsSpan(dot + 1)));
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    internal static IResult? Time(HttpContext http, string name, out DateTimeOffset? instant)
    {
        instant = null;
        if (Text(http, name) is not { } text) return null;
        if (!ValuesParameters.TryTime(text, out instant, out var day))
        {
            return Requests.InvalidParameter(http, name, new(
                $"{name} muss ein Tag sein (2026-11-23, Beginn in {CompiledContract.DefaultTimeZone}) oder ein Zeitpunkt mit Z oder Versatz (2026-11-23T08:00:00Z; ein + in der Adresse heißt %2B).",
                $"{name} must be a day (2026-11-23, its begin in {CompiledContract.DefaultTimeZone}) or an instant with Z or offset (2026-11-23T08:00:00Z; a + in an address is written %2B)."));
        }

        if (day is { } date)
        {
            var midnight = date.ToDateTime(TimeOnly.MinValue);
            instant = new DateTimeOffset(Math.Max(0, midnight.Ticks - s_zone.GetUtcOffset(midnight).Ticks), TimeSpan.Zero);
        }

        return null;
    }

    internal static IResult? AtLeast(HttpContext http, out Watermark? watermark)
    {
        watermark = null;
        return Text(http, "watermark") is not { } text || Watermark.TryParse(text, out watermark)
            ? null
            : Requests.InvalidParameter(http, "watermark", new("watermark muss so dastehen, wie eine Antwort des Hubs ihn nannte.", "watermark must be as an answer of the hub gave it."));
    }

    internal static IResult? Limit(HttpContext http, int most, int otherwise, out int limit)
    {
        limit = otherwise;
        return Text(http, "limit") is not { } text || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit >= 1 && limit <= most)
            ? null
            : Requests.InvalidParameter(http, "limit", new($"limit muss eine Zahl von 1 bis {most} sein.", $"limit must be a number from 1 to {most}."));
    }

    internal static IResult? Strict(HttpContext http, string[] known)
    {
        foreach (var (name, values) in http.Request.Query)
        {
            if (!known.Contains(name, StringComparer.Ordinal) && !(known == s_rows && name.StartsWith(FilterPrefix, StringComparison.Ordinal)))
                return Requests.InvalidParameter(http, name, new($"Den Parameter „{name}“ gibt es hier nicht; es gibt {string.Join(", ", known)}.", $"There is no parameter “{name}” here; there are {string.Join(", ", known)}."));
            if (values.Count > 1) return Requests.InvalidParameter(http, name, new($"{name} darf nur einmal vorkommen.", $"{name} must occur only once."));
        }

        return null;
    }

    internal static IResult BadCursor(HttpContext http) =>
        Requests.InvalidParameter(http, "after", new("after muss aus dem next einer früheren Antwort stammen.", "after must come from the next of an earlier answer."));

    internal static string? Text(HttpContext http, string name) => http.Request.Query.TryGetValue(name, out var value) ? value.ToString() : null;
}
