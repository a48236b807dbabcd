using System.Buffers.Text;
using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>Parameters that explanations and differences share: dimensions, and places of rows to continue after.</summary>
internal static class CellParameters
{
    /// <summary>Before the name of a dimension.</summary>
    public const string Prefix = "dim.";

    private const string RowPrefix = "r1.", DiffPrefix = "d1.";

    /// <summary>The dimensions that are named, by name; an empty value is none.</summary>
    public static DimensionValue[] Dimensions(HttpContext http) =>
    [
        .. http.Request.Query.Where(parameter => parameter.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(parameter => parameter.Key, StringComparer.Ordinal)
            .Select(parameter => new DimensionValue(parameter.Key[Prefix.Length..], parameter.Value.ToString() is { Length: > 0 } value ? value : null)),
    ];

    /// <summary>Begins a link with what decides the cells, in one order.</summary>
    /// <param name="path">Another route than the one that was called.</param>
    public static StringBuilder Link(HttpContext http, ValuesQuery cell, DimensionValue[] dimensions, int limit, string? path = null)
    {
        var link = new StringBuilder($"{http.Request.PathBase}{path ?? http.Request.Path}?limit=").Append(limit.ToString(CultureInfo.InvariantCulture));
        link.Add("from", cell.FromDay is { } fromDay ? fromDay.ToString("O", CultureInfo.InvariantCulture) : Instant(cell.From));
        link.Add("to", cell.ToDay is { } toDay ? toDay.ToString("O", CultureInfo.InvariantCulture) : Instant(cell.To));
        link.Add("level", cell.Level?.ToString(CultureInfo.InvariantCulture));
        link.Add("area", cell.Area);
        if (cell.Whole) link.Add("whole", "true");
        foreach (var (field, value) in dimensions) link.Add(Prefix + Uri.EscapeDataString(field), value ?? "");
        return link;

        static string? Instant(DateTimeOffset? instant) => instant is { } at ? AnswerText.Instant(at.UtcTicks) : null;
    }

    public static StringBuilder Add(this StringBuilder link, string name, string? value) =>
        value is null ? link : link.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));

    public static string Text(RowCursor row) => RowPrefix + Parts(row);

    public static string Text(DiffCursor place) => DiffPrefix + string.Join('.',
        place.Cell.From.UtcTicks.ToString(CultureInfo.InvariantCulture), Base64Url.EncodeToString(Encoding.UTF8.GetBytes(place.Cell.Area)),
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(place.Cell.Dimensions)), Parts(place.Row));

    public static bool TryRow(string text, out RowCursor? row)
    {
        row = null;
        return text.Length <= 32_768 && text.StartsWith(RowPrefix, StringComparison.Ordinal) && TryParts(text[RowPrefix.Length..].Split('.'), out row);
    }

    public static bool TryPlace(string text, out DiffCursor? place)
    {
        place = null;
        if (text.Length > 65_536 || !text.StartsWith(DiffPrefix, StringComparison.Ordinal)) return false;
        var parts = text[DiffPrefix.Length..].Split('.');
        if (parts.Length != 5 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) || ticks > DateTime.MaxValue.Ticks || !TryParts(parts[3..], out var row)) return false;
        try
        {
            place = new(new(new(ticks, TimeSpan.Zero), Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])), Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[2]))), row!);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string Parts(RowCursor row) => $"{row.Time.ToString(CultureInfo.InvariantCulture)}.{Base64Url.EncodeToString(row.Key)}";

    private static bool TryParts(string[] parts, out RowCursor? row)
    {
        row = null;
        if (parts.Length != 2 || !long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time)) return false;
        try
        {
            row = new(time, Base64Url.DecodeFromChars(parts[1]));
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
