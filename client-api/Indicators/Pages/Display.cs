using System.Globalization;

namespace DataHub.Indicators;

/// <summary>How numbers, times and words of the hub stand on a page in one language. Immutable.</summary>
/// <remarks>The forms are written out here, so that they do not depend on what the machine has installed.</remarks>
public sealed class Display
{
    private static readonly string[] s_monthsDe = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"];
    private static readonly string[] s_monthsEn = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    private static readonly string[] s_daysDe = ["So.", "Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa."];
    private static readonly string[] s_daysEn = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    private static readonly NumberFormatInfo s_german = new() { NumberDecimalSeparator = ",", NumberGroupSeparator = ".", NegativeSign = "−" };
    private static readonly NumberFormatInfo s_english = new() { NumberDecimalSeparator = ".", NumberGroupSeparator = ",", NegativeSign = "−" };

    private readonly NumberFormatInfo _numbers;

    private Display(string language, NumberFormatInfo numbers)
    {
        Language = language;
        _numbers = numbers;
    }

    public static Display German { get; } = new(DataHub.Language.German, s_german);

    public static Display English { get; } = new(DataHub.Language.English, s_english);

    /// <summary><c>de</c> or <c>en</c>.</summary>
    public string Language { get; }

    /// <summary>The tag for <c>lang</c> attributes.</summary>
    public string Tag => IsEnglish ? "en-GB" : "de-DE";

    private bool IsEnglish => Language == DataHub.Language.English;

    public static Display In(string language) => language == DataHub.Language.English ? English : German;

    /// <summary>A text of the page.</summary>
    public string Say(string de, string en) => IsEnglish ? en : de;

    /// <summary>A value with so many places; up to six where the indicator does not say.</summary>
    public string Number(double? value, int? decimals)
    {
        if (value is not { } number) return "–";
        var format = decimals is { } places ? "N" + Math.Clamp(places, 0, 15).ToString(CultureInfo.InvariantCulture) : "#,##0.######";
        var text = number.ToString(format, _numbers);
        // Rounded to nothing, it has no sign.
        if (text[0] == '−' && text.AsSpan().IndexOfAnyInRange('1', '9') < 0) text = text[1..];
        // Beyond what fits in a table cell.
        return text.Length > 24 ? number.ToString("0.#####E+0", _numbers) : text;
    }

    public string Count(long? count) => count is { } number ? number.ToString("N0", _numbers) : "–";

    /// <summary>A UCUM unit as people write it: <c>ug/m3</c> is µg/m³, <c>{report}</c> counts Meldungen.</summary>
    public string Unit(string? unit) => unit switch
    {
        null or "" or "1" => "",
        "Cel" or "degC" => "°C",
        "ug/m3" => "µg/m³",
        "mg/m3" => "mg/m³",
        "m3/s" => "m³/s",
        "m2" => "m²",
        "m3" => "m³",
        "km2" => "km²",
        "l/m2" => "l/m²",
        "dB(A)" or "dB[A]" => "dB(A)",
        "{report}" => Say("Meldungen", "reports"),
        "{vehicle}" => Say("Fahrzeuge", "vehicles"),
        "{person}" => Say("Personen", "people"),
        "{case}" => Say("Fälle", "cases"),
        // An annotation only says what is counted.
        ['{', .. var counted, '}'] => counted,
        _ => unit,
    };

    /// <summary>A window by its zone's clock.</summary>
    /// <param name="from">Its begin.</param>
    /// <param name="to">Its end.</param>
    /// <param name="window">ISO 8601 duration of the definition.</param>
    /// <param name="zone">IANA name.</param>
    public string Window(DateTimeOffset from, DateTimeOffset to, string window, string zone)
    {
        var clock = Zone(zone);
        var (begin, end) = (TimeZoneInfo.ConvertTime(from, clock), TimeZoneInfo.ConvertTime(to, clock));
        if (IsCalendar(window))
        {
            var last = end.AddTicks(-1);
            if (window == "P1D") return $"{Say(s_daysDe[(int)begin.DayOfWeek], s_daysEn[(int)begin.DayOfWeek])}\u00a0{Date(begin)}";
            if (window is "P1W" or "P7D") return Say($"KW {ISOWeek.GetWeekOfYear(begin.DateTime)} ({Date(begin)} – {Date(last)})", $"Week {ISOWeek.GetWeekOfYear(begin.DateTime)} ({Date(begin)} – {Date(last)})");
            if (window is "P1Y" or "P12M") return begin.Year.ToString(CultureInfo.InvariantCulture);
            var first = $"{Month(begin)} {begin.Year.ToString(CultureInfo.InvariantCulture)}";
            return begin.Month == last.Month ? first : $"{Month(begin)} – {Month(last)} {last.Year.ToString(CultureInfo.InvariantCulture)}";
        }

        // A line does not break within the time (word joiner, no-break space).
        // Where the clock shows an hour twice, its difference from UTC says which one is meant.
        var offset = clock.IsAmbiguousTime(from) || clock.IsAmbiguousTime(to) ? begin.ToString(" (zzz)", CultureInfo.InvariantCulture) : "";
        return $"{Date(begin)}, {Clock(begin)}–\u2060{Clock(end)}{offset}{Say("\u00a0Uhr", "")}";
    }

    /// <summary>The same, as short as an axis needs: a line and, where it helps, a second one.</summary>
    public (string First, string Second) AxisWindow(DateTimeOffset from, string window, string zone)
    {
        var begin = TimeZoneInfo.ConvertTime(from, Zone(zone));
        var day = Say($"{begin.Day}.{begin.Month}.", $"{begin.Day} {s_monthsEn[begin.Month - 1][..3]}");
        return window switch
        {
            "P1D" => (day, Say(s_daysDe[(int)begin.DayOfWeek], s_daysEn[(int)begin.DayOfWeek])),
            "P1W" or "P7D" => (Say("KW ", "wk ") + ISOWeek.GetWeekOfYear(begin.DateTime).ToString(CultureInfo.InvariantCulture), day),
            "P1Y" or "P12M" => (begin.Year.ToString(CultureInfo.InvariantCulture), ""),
            _ when IsCalendar(window) => (Month(begin)[..3], begin.Year.ToString(CultureInfo.InvariantCulture)),
            _ => (Clock(begin), day),
        };
    }

    /// <summary>An instant by a zone's clock, to the second.</summary>
    public string Instant(DateTimeOffset instant, string zone)
    {
        var local = TimeZoneInfo.ConvertTime(instant, Zone(zone));
        return $"{Date(local)}, {local.ToString("HH:mm:ss", CultureInfo.InvariantCulture)}{Say("\u00a0Uhr", "")}";
    }

    /// <summary>How long a window is, in words: „je Stunde“.</summary>
    public string Every(string window) => window switch
    {
        "PT1M" => Say("je Minute", "per minute"),
        "PT60M" or "PT1H" => Say("je Stunde", "per hour"),
        "P1D" => Say("je Tag", "per day"),
        "P1W" or "P7D" => Say("je Woche", "per week"),
        "P1M" => Say("je Monat", "per month"),
        "P3M" => Say("je Quartal", "per quarter"),
        "P1Y" or "P12M" => Say("je Jahr", "per year"),
        _ when window.StartsWith("PT", StringComparison.Ordinal) && window[^1] == 'M' => Say($"je {window[2..^1]} Minuten", $"per {window[2..^1]} minutes"),
        _ when window.StartsWith("PT", StringComparison.Ordinal) && window[^1] == 'H' => Say($"je {window[2..^1]} Stunden", $"per {window[2..^1]} hours"),
        _ when window[^1] == 'M' => Say($"je {window[1..^1]} Monate", $"per {window[1..^1]} months"),
        _ => window,
    };

    /// <summary>What a link from a number to its explanation says.</summary>
    public string Why => Say("Woher diese Zahl kommt", "Where this number comes from");

    /// <summary>What an indicator says, in words: „Mittelwert von NO₂ je Stunde“.</summary>
    /// <param name="field">A field as people call it.</param>
    public string Measure(IndicatorSpec spec, Func<string, string> field) =>
        (spec.Formula is { } formula
            ? Say("Formel: ", "Formula: ") + formula
            : Function(spec.Function) + (spec.Field is { } of ? Say(" von ", " of ") + (of == IndicatorSpec.DurationField ? Say("Sekunden von Beginn bis Ende", "seconds from beginning to end") : field(of)) : ""))
        + " " + Every(spec.Window)
        + (spec.Sliding is { } sliding ? Say($", gleitend über {Length(sliding)}", $", sliding over {Length(sliding)}") : "");

    /// <summary>What an indicator's number is, in a word.</summary>
    public string Function(IndicatorSpec spec) => spec.Formula is null ? Function(spec.Function) : Say("Formel", "Formula");

    /// <summary>What a measure does, in a word.</summary>
    public string Function(MeasureFunction function) => function switch
    {
        MeasureFunction.Count => Say("Anzahl", "Count"),
        MeasureFunction.Sum => Say("Summe", "Sum"),
        MeasureFunction.Mean => Say("Mittelwert", "Mean"),
        MeasureFunction.Min => Say("Kleinster Wert", "Minimum"),
        MeasureFunction.Max => Say("Größter Wert", "Maximum"),
        MeasureFunction.Stddev => Say("Standardabweichung", "Standard deviation"),
        MeasureFunction.StddevSample => Say("Standardabweichung (Stichprobe)", "Standard deviation (sample)"),
        MeasureFunction.P50 => Say("Median", "Median"),
        MeasureFunction.P90 => Say("90-%-Perzentil", "90th percentile"),
        MeasureFunction.P95 => Say("95-%-Perzentil", "95th percentile"),
        MeasureFunction.P99 => Say("99-%-Perzentil", "99th percentile"),
        MeasureFunction.Distinct => Say("Anzahl verschiedener Werte", "Number of different values"),
        MeasureFunction.Open => Say("Offene Vorgänge am Ende", "Open records at the end"),
        _ => Say("Letzter Wert", "Last value"),
    };

    /// <summary>How long something covers, in words: <c>7 Tage</c>.</summary>
    public string Length(string duration)
    {
        var clock = duration.StartsWith("PT", StringComparison.Ordinal);
        var number = duration[(clock ? 2 : 1)..^1];
        var one = number == "1";
        return (clock, duration[^1]) switch
        {
            (true, 'M') => Say(one ? "1 Minute" : number + " Minuten", one ? "1 minute" : number + " minutes"),
            (true, 'H') => Say(one ? "1 Stunde" : number + " Stunden", one ? "1 hour" : number + " hours"),
            (false, 'D') => Say(one ? "1 Tag" : number + " Tage", one ? "1 day" : number + " days"),
            (false, 'W') => Say(one ? "1 Woche" : number + " Wochen", one ? "1 week" : number + " weeks"),
            (false, 'M') => Say(one ? "1 Monat" : number + " Monate", one ? "1 month" : number + " months"),
            (false, 'Y') => Say(one ? "1 Jahr" : number + " Jahre", one ? "1 year" : number + " years"),
            _ => duration,
        };
    }

    /// <summary>What an indicator is to reach, in words.</summary>
    public string Target(IndicatorTarget target, string unit)
    {
        var value = Number(target.Value, null) + (unit.Length > 0 ? " " + unit : "");
        var aim = target.Direction == TargetDirection.Below ? Say("höchstens ", "at most ") + value : Say("mindestens ", "at least ") + value;
        return target.Due is { } due
            ? string.Create(CultureInfo.InvariantCulture, $"{aim} {Say("bis", "by")} {due.Day}{Say(".", "")} {Month(new(due.ToDateTime(default), TimeSpan.Zero))} {due.Year}")
            : aim;
    }

    public string State(TargetState state) => state switch
    {
        TargetState.Met => Say("Ziel erreicht", "target met"),
        TargetState.Open => Say("Ziel noch offen", "target still open"),
        _ => Say("Ziel verfehlt", "target missed"),
    };

    /// <summary>How many series reported, beside those of the window before.</summary>
    public string Coverage(SeriesCoverage coverage) => coverage.Before == 0
        ? Say($"{Count(coverage.Series)} {(coverage.Series == 1 ? "Messreihe" : "Messreihen")}", $"{Count(coverage.Series)} series")
        : Say($"{Count(coverage.Series)} von {Count(coverage.Before)} Messreihen", $"{Count(coverage.Series)} of {Count(coverage.Before)} series");

    public string State(ValueState state) => state switch
    {
        ValueState.Suppressed => Say("unterdrückt", "suppressed"),
        ValueState.Preliminary => Say("vorläufig", "preliminary"),
        ValueState.Stale => Say("evtl. veraltet", "possibly stale"),
        ValueState.Missing => Say("Angaben fehlen", "something missing"),
        ValueState.Undefined => Say("nicht bestimmt", "undefined"),
        _ => Say("abgeschlossen", "complete"),
    };

    /// <summary>What a state means, in a sentence.</summary>
    public string Meaning(ValueState state) => state switch
    {
        ValueState.Suppressed => Say("Zu wenige Zeilen, um den Wert zu veröffentlichen.", "Too few rows to publish the value."),
        ValueState.Preliminary => Say("Das Zeitfenster läuft noch.", "The window is not over yet."),
        ValueState.Stale => Say("Der Hub kann nicht sagen, ob der Wert aktuell ist.", "The hub cannot say that the value is current."),
        ValueState.Missing => Say("Woraus der Wert berechnet würde, liegt hier nicht ganz vor.", "What the value would be computed from is not all there."),
        ValueState.Undefined => Say("Der Wert lässt sich nicht berechnen, etwa weil durch null zu teilen wäre.", "The value cannot be computed, as where one would have to divide by zero."),
        _ => Say("Das Zeitfenster ist vorbei; späte Zeilen können den Wert noch ändern.", "The window is over; late rows may still change the value."),
    };

    private static TimeZoneInfo Zone(string zone) => TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : TimeZoneInfo.Utc;

    private static bool IsCalendar(string window) => !window.StartsWith("PT", StringComparison.Ordinal);

    private static string Clock(DateTimeOffset local) => local.ToString("HH:mm", CultureInfo.InvariantCulture);

    private string Date(DateTimeOffset local) => IsEnglish
        ? string.Create(CultureInfo.InvariantCulture, $"{local.Day}\u00a0{s_monthsEn[local.Month - 1][..3]}\u00a0{local.Year}")
        : local.ToString("dd.MM.yyyy", CultureInfo.InvariantCulture);

    private string Month(DateTimeOffset local) => IsEnglish ? s_monthsEn[local.Month - 1] : s_monthsDe[local.Month - 1];
}
