using System.Buffers.Text;
using System.Globalization;
using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>Reads the parameters of values and latest, strictly: what is unknown, repeated or malformed is a 400 that names it.</summary>
internal static class ValuesParameters
{
    public const int DefaultLimit = 1_000;
    public const int MaxLimit = 10_000;

    private const string CursorPrefix = "c1.";

    private static readonly string[] s_known = ["from", "to", "level", "area", "whole", "watermark", "asOf", "definition", "limit", "after", "format", "meta"];

    /// <summary>The query, or the problem to answer with.</summary>
    public static (ValuesQuery? Query, IResult? Problem) Read(HttpContext http, bool latest) => Read(http, latest, s_known);

    /// <summary>The same on a route that takes other parameters.</summary>
    /// <param name="known">All that it takes.</param>
    /// <param name="prefix">Of names that it takes too.</param>
    /// <param name="ownPages">It reads limit and after by itself.</param>
    public static (ValuesQuery? Query, IResult? Problem) Read(HttpContext http, bool latest, string[] known, string? prefix = null, bool ownPages = false)
    {
        foreach (var (name, values) in http.Request.Query)
        {
            if (!known.Contains(name, StringComparer.Ordinal) && (prefix is null || !name.StartsWith(prefix, StringComparison.Ordinal)))
                return Refused(name, new($"Den Parameter „{name}“ gibt es hier nicht; es gibt {string.Join(", ", known)}.", $"There is no parameter “{name}” here; there are {string.Join(", ", known)}."));
            if (values.Count > 1) return Refused(name, new($"{name} darf nur einmal vorkommen.", $"{name} must occur only once."));
        }

        var query = new ValuesQuery(null, null, latest, null, null, null, null, DefaultLimit);
        if (Text("from") is { } from)
        {
            if (!TryTime(from, out var instant, out var day)) return Refused("from", BadTime("from"));
            query = query with { From = instant, FromDay = day };
        }

        if (Text("to") is { } to)
        {
            if (!TryTime(to, out var instant, out var day)) return Refused("to", BadTime("to"));
            query = query with { To = instant, ToDay = day };
        }

        if (query.From >= query.To || query.FromDay >= query.ToDay)
            return Refused("to", new("to muss nach from liegen; das Ende gehört nicht mehr dazu.", "to must be after from; the end itself does not belong to the range."));

        if (Text("level") is { } level)
        {
            if (!int.TryParse(level, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return Refused("level", new("level muss eine Zahl ab 0 sein; 0 ist die gröbste Ebene.", "level must be a number from 0; 0 is the coarsest level."));
            query = query with { Level = number };
        }

        if (Text("area") is { } area)
        {
            if (area.Length is 0 or > 200) return Refused("area", new("area muss die Kennung eines Gebiets sein.", "area must be the id of an area."));
            query = query with { Area = area };
        }

        if (Text("whole") is { } whole)
        {
            if (whole is not ("true" or "false")) return Refused("whole", new("whole muss true oder false sein.", "whole must be true or false."));
            query = query with { Whole = whole == "true" };
        }

        if (Text("watermark") is { } watermark)
        {
            if (!Watermark.TryParse(watermark, out var atLeast))
                return Refused("watermark", new("watermark muss so dastehen, wie eine Antwort des Hubs ihn nannte.", "watermark must be as an answer of the hub gave it."));
            query = query with { AtLeast = atLeast };
        }

        if (Text("asOf") is { } asOf)
        {
            if (!TryMoment(asOf, out var moment)) return Refused("asOf", BadMoment("asOf"));
            query = query with { AsOf = moment };
        }

        if (Text("definition") is { } definition)
        {
            if (!int.TryParse(definition, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
                return Refused("definition", new("definition muss die Nummer einer Fassung sein.", "definition must be the number of a version."));
            query = query with { Definition = number };
        }

        if (ownPages) return (query, null);
        if (Text("limit") is { } limit)
        {
            if (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > MaxLimit)
                return Refused("limit", new($"limit muss eine Zahl von 1 bis {MaxLimit} sein.", $"limit must be a number from 1 to {MaxLimit}."));
            query = query with { Limit = number };
        }

        if (Text("after") is { } after)
        {
            if (!TryCursor(after, out var cursor))
                return Refused("after", new("after muss aus dem next einer früheren Antwort stammen.", "after must come from the next of an earlier answer."));
            query = query with { After = cursor };
        }

        return (query, null);

        string? Text(string name) => http.Request.Query.TryGetValue(name, out var value) ? value.ToString() : null;
        (ValuesQuery?, IResult?) Refused(string name, LocalText detail) => (null, Requests.InvalidParameter(http, name, detail));
    }

    /// <summary>Path and query of the page after a row: only what decides its rows, in one order, so that equal answers are equal bytes.</summary>
    public static string Next(string path, ValuesQuery query, ValuesCursor after, AnswerFormat format)
    {
        var link = new StringBuilder(path).Append("?limit=").Append(query.Limit.ToString(CultureInfo.InvariantCulture));
        Add("from", query.FromDay is { } fromDay ? fromDay.ToString("O", CultureInfo.InvariantCulture) : Instant(query.From));
        Add("to", query.ToDay is { } toDay ? toDay.ToString("O", CultureInfo.InvariantCulture) : Instant(query.To));
        Add("level", query.Level?.ToString(CultureInfo.InvariantCulture));
        Add("area", query.Area);
        if (query.Whole) Add("whole", "true");
        Add("asOf", query.AsOf?.Watermark?.ToString());
        Add("definition", query.Definition?.ToString(CultureInfo.InvariantCulture));
        if (AnswerFormats.Parameters(format) is { } named) link.Append('&').Append(named);
        Add("after", CursorPrefix + string.Join('.',
            after.From.UtcTicks.ToString(CultureInfo.InvariantCulture),
            Base64Url.EncodeToString(Encoding.UTF8.GetBytes(after.Area)),
            Base64Url.EncodeToString(Encoding.UTF8.GetBytes(after.Dimensions))));
        return link.ToString();

        void Add(string name, string? value)
        {
            if (value is not null) link.Append('&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }

        static string? Instant(DateTimeOffset? instant) => instant?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
    }

    private static bool TryCursor(string text, out ValuesCursor? cursor)
    {
        cursor = null;
        if (text.Length > 8_192 || !text.StartsWith(CursorPrefix, StringComparison.Ordinal)) return false;
        var parts = text[CursorPrefix.Length..].Split('.');
        if (parts.Length != 3 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) || ticks > DateTime.MaxValue.Ticks) return false;
        try
        {
            cursor = new(new(ticks, TimeSpan.Zero), Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])), Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[2])));
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>An instant with offset, or a date.</summary>
    public static bool TryTime(string text, out DateTimeOffset? instant, out DateOnly? day)
    {
        (instant, day) = (null, null);
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            day = date;
            return true;
        }

        ReadOnlySpan<string> forms = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];
        foreach (var form in forms)
        {
            // Without offset the time could mean any zone; K alone would take it.
            if (text.Length == 0 || !(text[^1] == 'Z' || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':'))) return false;
            if (!DateTimeOffset.TryParseExact(text, form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed)) continue;
            instant = parsed.ToUniversalTime();
            return true;
        }

        return false;
    }

    /// <summary>An instant with offset, a day, or a watermark.</summary>
    public static bool TryMoment(string text, out Moment? moment)
    {
        moment = TryTime(text, out var instant, out var day) ? new(instant, day, null)
            : Watermark.TryParse(text, out var watermark) ? new(null, null, watermark)
            : null;
        return moment is not null;
    }

    internal static LocalText BadMoment(string name) => new(
        $"{name} muss ein Zeitpunkt mit Z oder Versatz sein (2026-11-23T08:00:00Z; ein + in der Adresse heißt %2B), ein Tag (2026-11-23, sein Beginn in der Zeitzone des Indikators) oder der watermark einer früheren Antwort.",
        $"{name} must be an instant with Z or offset (2026-11-23T08:00:00Z; a + in an address is written %2B), a day (2026-11-23, its begin in the indicator's time zone) or the watermark of an earlier answer.");

    internal static LocalText BadTime(string name) => new(
        $"{name} muss ein Tag sein (2026-11-23, Beginn in der Zeitzone des Indikators) oder ein Zeitpunkt mit Z oder Versatz (2026-11-23T08:00:00Z; ein + in der Adresse heißt %2B).",
        $"{name} must be a day (2026-11-23, its begin in the indicator's time zone) or an instant with Z or offset (2026-11-23T08:00:00Z; a + in an address is written %2B).");
}
