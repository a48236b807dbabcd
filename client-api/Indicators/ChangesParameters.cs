using System.Globalization;

using DataHub.Catalog;

using Microsoft.AspNetCore.Http;

namespace DataHub.Indicators;

/// <summary>Reads what a viewer wants to watch, strictly: what is unknown, repeated or malformed is a 400 that names it.</summary>
internal static class ChangesParameters
{
    private static readonly string[] s_known = ["from", "to", "level", "area", "whole", "lastEventId", Authentication.PurposeParameter];

    /// <summary>The selection (the last values where neither from nor to is given) and the id last seen, or the problem to answer with.</summary>
    public static (ValuesQuery? Selection, string? LastEventId, IResult? Problem) Read(HttpContext http, int maxRows)
    {
        foreach (var (name, values) in http.Request.Query)
        {
            if (!s_known.Contains(name, StringComparer.Ordinal))
                return Refused(name, new($"Den Parameter „{name}“ gibt es hier nicht; es gibt {string.Join(", ", s_known)}.", $"There is no parameter “{name}” here; there are {string.Join(", ", s_known)}."));
            if (values.Count > 1) return Refused(name, new($"{name} darf nur einmal vorkommen.", $"{name} must occur only once."));
        }

        var selection = new ValuesQuery(null, null, Latest: Text("from") is null && Text("to") is null, null, null, null, null, maxRows);
        if (Text("from") is { } from)
        {
            if (!ValuesParameters.TryTime(from, out var instant, out var day)) return Refused("from", BadTime("from"));
            selection = selection with { From = instant, FromDay = day };
        }

        if (Text("to") is { } to)
        {
            if (!ValuesParameters.TryTime(to, out var instant, out var day)) return Refused("to", BadTime("to"));
            selection = selection with { To = instant, ToDay = day };
        }

        if (selection.From >= selection.To || selection.FromDay >= selection.ToDay)
            return Refused("to", new("to muss nach from liegen; das Ende gehört nicht mehr dazu.", "to must be after from; the end itself does not belong to the range."));

        if (Text("level") is { } level)
        {
            if (!int.TryParse(level, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return Refused("level", new("level muss eine Zahl ab 0 sein; 0 ist die gröbste Ebene.", "level must be a number from 0; 0 is the coarsest level."));
            selection = selection with { Level = number };
        }

        if (Text("area") is { } area)
        {
            if (area.Length is 0 or > 200) return Refused("area", new("area muss die Kennung eines Gebiets sein.", "area must be the id of an area."));
            selection = selection with { Area = area };
        }

        if (Text("whole") is { } whole)
        {
            if (whole is not ("true" or "false")) return Refused("whole", new("whole muss true oder false sein.", "whole must be true or false."));
            selection = selection with { Whole = whole == "true" };
        }

        // A browser that reconnects sends the header, and it is newer than what the page's address said.
        var header = http.Request.Headers["Last-Event-ID"];
        return (selection, header.Count > 0 ? header.ToString() : Text("lastEventId"), null);

        string? Text(string name) => http.Request.Query.TryGetValue(name, out var value) ? value.ToString() : null;
        (ValuesQuery?, string?, IResult?) Refused(string name, LocalText detail) => (null, null, Requests.InvalidParameter(http, name, detail));
    }

    private static LocalText BadTime(string name) => new(
        $"{name} muss ein Tag sein (2026-11-23, Beginn in der Zeitzone des Indikators) oder ein Zeitpunkt mit Z oder Versatz (2026-11-23T08:00:00Z; ein + in der Adresse heißt %2B).",
        $"{name} must be a day (2026-11-23, its begin in the indicator's time zone) or an instant with Z or offset (2026-11-23T08:00:00Z; a + in an address is written %2B).");
}
