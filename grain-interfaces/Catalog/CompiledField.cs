using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

using DataHub.Feeds;

namespace DataHub.Catalog;

/// <summary>One field of a contract, ready to read and check values. Immutable; safe for all threads.</summary>
public sealed partial class CompiledField
{
    private static readonly string[] s_trueWords = ["true", "True", "TRUE", "1"];
    private static readonly string[] s_falseWords = ["false", "False", "FALSE", "0"];

    private readonly byte[] _nameUtf8;
    private readonly FieldSpec _spec;
    private string _format;

    // Readers, by type; null where the type or format needs none.
    private StrptimePattern? _strptime;
    private readonly TimeZoneInfo? _zone;
    private FrozenSet<string>? _true;
    private FrozenSet<string>? _false;
    private readonly char _decimal = '.';
    private readonly char? _group;

    // Constraints; null where there is none.
    private readonly int? _minLength;
    private readonly int? _maxLength;
    private readonly double? _minNumber;
    private readonly double? _maxNumber;
    private readonly long? _minInteger;
    private readonly long? _maxInteger;
    private readonly Regex? _pattern;
    private readonly FrozenSet<string>? _enumTexts;
    private readonly FrozenSet<double>? _enumNumbers;
    private readonly FrozenSet<long>? _enumIntegers;
    private readonly string? _minExpected;
    private readonly string? _maxExpected;
    private readonly string? _enumExpected;

    private CompiledField(FieldSpec spec, int ordinal, bool isKey, bool required, List<ContractProblem> problems)
    {
        _spec = spec;
        Ordinal = ordinal;
        IsKey = isKey;
        Required = required;
        Kind = KindOf(spec.Type);
        _nameUtf8 = Encoding.UTF8.GetBytes(spec.Name);
        _format = spec.Format ?? "default";

        if (!FormatFits(spec.Type, _format))
            Wrong(ContractCodes.InvalidFormat, $"Der Typ {Word} kennt das Format „{_format}“ nicht; erlaubt: {FormatsOf(spec.Type)}.", $"Type {Word} does not know the format \"{_format}\"; allowed: {FormatsOf(spec.Type)}.");
        else if (_format.Contains('%', StringComparison.Ordinal))
            _strptime = CompileStrptime();
        _zone = CompileZone();
        (_true, _false) = CompileWords();
        (_decimal, _group) = CompileNumberFormat();
        if (spec.Unit?.Length > ContractLimits.UnitLength)
            Wrong(ContractCodes.InvalidUnit, $"Die Einheit hat höchstens {ContractLimits.UnitLength} Zeichen.", $"A unit has at most {ContractLimits.UnitLength} characters.");
        if (problems.Exists(p => p.Field == spec.Name)) return;

        var constraints = spec.Constraints;
        (_minLength, _maxLength) = CompileLengths(constraints);
        _pattern = CompilePattern(constraints.Pattern);

        if (constraints.Minimum is not null && CompileBound(constraints.Minimum, "minimum") is { } minimum)
        {
            if (Kind == ColumnKind.Number) _minNumber = minimum.Number;
            else _minInteger = minimum.Integer;
            _minExpected = constraints.Minimum;
        }

        if (constraints.Maximum is not null && CompileBound(constraints.Maximum, "maximum") is { } maximum)
        {
            if (Kind == ColumnKind.Number) _maxNumber = maximum.Number;
            else _maxInteger = maximum.Integer;
            _maxExpected = constraints.Maximum;
        }

        if (_minNumber > _maxNumber || _minInteger > _maxInteger)
            Wrong(ContractCodes.InvalidBound, $"minimum {constraints.Minimum} ist größer als maximum {constraints.Maximum}.", $"minimum {constraints.Minimum} is greater than maximum {constraints.Maximum}.");

        // What the role says about the value holds beside what the contract says.
        if (spec.Role is FieldRole.Longitude or FieldRole.Latitude)
        {
            var most = spec.Role == FieldRole.Longitude ? 180.0 : 90.0;
            if (!(_minNumber >= -most)) (_minNumber, _minExpected) = (-most, (-most).ToString(CultureInfo.InvariantCulture));
            if (!(_maxNumber <= most)) (_maxNumber, _maxExpected) = (most, most.ToString(CultureInfo.InvariantCulture));
        }

        if (spec.Type == FieldType.String && (isKey || spec.Role is FieldRole.Series or FieldRole.Area or FieldRole.Dimension))
            _maxLength = Math.Min(_maxLength ?? int.MaxValue, ContractLimits.KeyTextLength);

        if (constraints.Enum is not null)
        {
            (_enumTexts, _enumNumbers, _enumIntegers) = CompileEnum(constraints.Enum);
            _enumExpected = string.Join(", ", constraints.Enum);
            if (_enumExpected.Length > 200) _enumExpected = _enumExpected[..199] + "…";
        }

        return;

        void Wrong(string code, string de, string en) => problems.Add(new(spec.Name, code, new(de, en)));

        StrptimePattern? CompileStrptime()
        {
            if (_format.Length > ContractLimits.PatternLength)
            {
                Wrong(ContractCodes.InvalidFormat, $"Ein Format hat höchstens {ContractLimits.PatternLength} Zeichen.", $"A format has at most {ContractLimits.PatternLength} characters.");
                return null;
            }

            try
            {
                return StrptimePattern.Compile(_format, spec.Type);
            }
            catch (FormatException e)
            {
                Wrong(ContractCodes.InvalidFormat, $"Das Format „{_format}“ ist nicht zu lesen oder unvollständig: {e.Message}", $"The format \"{_format}\" is not readable or not complete: {e.Message}");
                return null;
            }
        }

        TimeZoneInfo? CompileZone()
        {
            if (spec.TimeZone is null) return null;
            if (spec.Type is not (FieldType.DateTime or FieldType.Date))
            {
                Wrong(ContractCodes.InvalidTimeZone, "timeZone gibt es nur für datetime und date.", "timeZone is for datetime and date only.");
                return null;
            }

            if (TimeZoneInfo.TryFindSystemTimeZoneById(spec.TimeZone, out var zone)) return zone;
            Wrong(ContractCodes.InvalidTimeZone, $"Die Zeitzone „{spec.TimeZone}“ ist unbekannt; Namen wie Europe/Berlin sind gemeint.", $"The time zone \"{spec.TimeZone}\" is not known; names such as Europe/Berlin are meant.");
            return null;
        }

        (FrozenSet<string>?, FrozenSet<string>?) CompileWords()
        {
            if (spec.Type != FieldType.Boolean)
            {
                if (spec.TrueValues is not null || spec.FalseValues is not null)
                    Wrong(ContractCodes.InvalidWords, "trueValues und falseValues gibt es nur für boolean.", "trueValues and falseValues are for boolean only.");
                return (null, null);
            }

            ContractCheck.Words(spec.Name, "trueValues", spec.TrueValues, problems);
            ContractCheck.Words(spec.Name, "falseValues", spec.FalseValues, problems);
            var yes = (spec.TrueValues ?? s_trueWords).ToFrozenSet(StringComparer.Ordinal);
            var no = (spec.FalseValues ?? s_falseWords).ToFrozenSet(StringComparer.Ordinal);
            if (yes.Count == 0 || no.Count == 0 || yes.Overlaps(no))
                Wrong(ContractCodes.InvalidWords, "trueValues und falseValues brauchen je einen Wert und keinen gemeinsamen.", "trueValues and falseValues need a value each and none in common.");
            return (yes, no);
        }

        (char, char?) CompileNumberFormat()
        {
            if (spec.Type is not (FieldType.Number or FieldType.Integer))
            {
                if (spec.DecimalChar is not null || spec.GroupChar is not null || !spec.BareNumber)
                    Wrong(ContractCodes.InvalidNumberFormat, "decimalChar, groupChar und bareNumber gibt es nur für number und integer.", "decimalChar, groupChar and bareNumber are for number and integer only.");
                return ('.', null);
            }

            var point = spec.DecimalChar ?? ".";
            if (!IsSeparator(point) || (spec.GroupChar is { } g && !IsSeparator(g)) || spec.GroupChar == point)
            {
                Wrong(ContractCodes.InvalidNumberFormat,
                    "decimalChar und groupChar sind je ein Zeichen, verschieden, und weder Ziffer noch Buchstabe noch Vorzeichen.",
                    "decimalChar and groupChar are one character each, different, and neither digit nor letter nor sign.");
                return ('.', null);
            }

            return (point[0], spec.GroupChar?[0]);
        }

        (int?, int?) CompileLengths(FieldConstraints c)
        {
            if (c.MinLength is null && c.MaxLength is null) return (null, null);
            if (spec.Type is not (FieldType.String or FieldType.Object or FieldType.Array))
                Wrong(ContractCodes.ConstraintType, "minLength und maxLength gibt es nur für string, array und object.", "minLength and maxLength are for string, array and object only.");
            else if (c.MinLength < 0 || c.MaxLength < 0 || c.MinLength > c.MaxLength)
                Wrong(ContractCodes.InvalidBound, "minLength und maxLength sind nicht negativ, und minLength ist nicht größer.", "minLength and maxLength are not negative, and minLength is not the greater.");
            return (c.MinLength, c.MaxLength);
        }

        Regex? CompilePattern(string? pattern)
        {
            if (pattern is null) return null;
            if (spec.Type != FieldType.String)
            {
                Wrong(ContractCodes.ConstraintType, "pattern gibt es nur für string.", "pattern is for string only.");
                return null;
            }

            if (pattern.Length > ContractLimits.PatternLength)
            {
                Wrong(ContractCodes.InvalidPattern, $"Ein Muster hat höchstens {ContractLimits.PatternLength} Zeichen.", $"A pattern has at most {ContractLimits.PatternLength} characters.");
                return null;
            }

            // Table Schema's patterns are those of XML Schema: they speak of the whole value.
            var whole = $@"\A(?:{pattern})\z";
            try
            {
                // Linear in the value's length, which is bounded: a clock would only refuse good rows on a machine that is busy.
                return new(whole, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Regex.InfiniteMatchTimeout);
            }
            catch (NotSupportedException)
            {
                // Look-around, back references or too large an automaton: the time limit bounds it instead.
                return new(whole, RegexOptions.CultureInvariant, ContractLimits.PatternTimeout);
            }
            catch (ArgumentException e)
            {
                Wrong(ContractCodes.InvalidPattern, $"Das Muster „{pattern}“ ist kein regulärer Ausdruck: {e.Message}", $"The pattern \"{pattern}\" is not a regular expression: {e.Message}");
                return null;
            }
        }

        FieldValue? CompileBound(string bound, string member)
        {
            if (spec.Type is not (FieldType.Number or FieldType.Integer or FieldType.Date or FieldType.Time or FieldType.DateTime or FieldType.Year or FieldType.YearMonth))
            {
                Wrong(ContractCodes.ConstraintType, $"{member} gibt es nicht für {Word}.", $"There is no {member} for {Word}.");
                return null;
            }

            if (TryNative(bound, out var value)) return value;
            Wrong(ContractCodes.InvalidBound, $"{member} „{Shorten(bound)}“ ist kein Wert des Typs {Word}.", $"{member} \"{Shorten(bound)}\" is not a value of type {Word}.");
            return null;
        }

        (FrozenSet<string>?, FrozenSet<double>?, FrozenSet<long>?) CompileEnum(string[] allowed)
        {
            if (allowed.Length is 0 or > ContractLimits.EnumValues || allowed.Any(a => a.Length > ContractLimits.WordLength))
            {
                Wrong(ContractCodes.InvalidEnum,
                    $"enum hat 1 bis {ContractLimits.EnumValues} Werte zu je höchstens {ContractLimits.WordLength} Zeichen.",
                    $"enum has 1 to {ContractLimits.EnumValues} values of at most {ContractLimits.WordLength} characters each.");
                return default;
            }

            var values = new List<FieldValue>(allowed.Length);
            foreach (var word in allowed)
            {
                if (TryNative(word, out var value)) values.Add(value);
                else Wrong(ContractCodes.InvalidEnum, $"enum: „{Shorten(word)}“ ist kein Wert des Typs {Word}.", $"enum: \"{Shorten(word)}\" is not a value of type {Word}.");
            }

            return Kind switch
            {
                ColumnKind.Text => (values.Select(v => v.Text!).ToFrozenSet(StringComparer.Ordinal), null, null),
                ColumnKind.Number => (null, values.Select(v => v.Number).ToFrozenSet(), null),
                _ => (null, null, values.Select(v => v.Integer).ToFrozenSet()),
            };
        }

        // Bounds and enums are written in JSON: numbers and booleans in its form, whatever form the field's texts have.
        bool TryNative(string text, out FieldValue value)
        {
            if (Kind == ColumnKind.Number && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                return Take(number, out value).IsNone;
            if (Type == FieldType.Boolean && text is "true" or "false")
            {
                value = new() { Integer = text == "true" ? 1 : 0 };
                return true;
            }

            return Parse(text, null, out value).IsNone;
        }
    }

    public string Name => _spec.Name;

    /// <summary>The name as it stands in JSON without escapes.</summary>
    public ReadOnlySpan<byte> NameUtf8 => _nameUtf8;

    /// <summary>The field's place in every block's columns.</summary>
    public int Ordinal { get; }

    public FieldType Type => _spec.Type;

    public ColumnKind Kind { get; }

    public FieldRole Role => _spec.Role;

    public FieldSpec Spec => _spec;

    /// <summary>Part of the primary key.</summary>
    public bool IsKey { get; }

    /// <summary>A row without a value is quarantined: as the constraint says, and always for the key and an observation's time.</summary>
    public bool Required { get; }

    /// <summary>
    /// No two rows of one push may have the same value under different keys. The hub does not look for it in rows that
    /// it already holds.
    /// </summary>
    public bool Unique => _spec.Constraints.Unique;

    private string Word => ContractCheck.Word(Type);

    /// <summary>The same field, whose texts are dates or instants in another format; its constraints stay.</summary>
    /// <param name="strptime">A pattern that <see cref="CsvProfileCheck"/> or a contract has let pass.</param>
    /// <exception cref="FormatException">The pattern is not one for this type.</exception>
    public CompiledField InFormat(string strptime)
    {
        var field = (CompiledField)MemberwiseClone();
        field._format = strptime;
        field._strptime = StrptimePattern.Compile(strptime, Type);
        return field;
    }

    /// <summary>The same boolean field with other words for true and false.</summary>
    public CompiledField WithWords(IEnumerable<string> yes, IEnumerable<string> no)
    {
        var field = (CompiledField)MemberwiseClone();
        field._true = yes.ToFrozenSet(StringComparer.Ordinal);
        field._false = no.ToFrozenSet(StringComparer.Ordinal);
        return field;
    }

    /// <summary>The words for true and false of a boolean field; empty for others.</summary>
    public (IReadOnlyCollection<string> Yes, IReadOnlyCollection<string> No) Words => (_true?.Items ?? [], _false?.Items ?? []);

    /// <summary>How values of a type lie in a column.</summary>
    public static ColumnKind KindOf(FieldType type) => type switch
    {
        FieldType.Number => ColumnKind.Number,
        FieldType.Boolean => ColumnKind.Boolean,
        FieldType.Integer or FieldType.Date or FieldType.Time or FieldType.DateTime or FieldType.Year or FieldType.YearMonth => ColumnKind.Integer,
        _ => ColumnKind.Text,
    };

    /// <summary>Compiles one field; what is wrong with it goes to <paramref name="problems"/>.</summary>
    internal static CompiledField Compile(FieldSpec spec, int ordinal, bool isKey, bool required, List<ContractProblem> problems) =>
        new(spec, ordinal, isKey, required, problems);

    private static bool FormatFits(FieldType type, string format) => format == "default" || type switch
    {
        FieldType.String => format is "email" or "uri" or "binary" or "uuid",
        FieldType.Date or FieldType.Time or FieldType.DateTime => format == "any" || format.Contains('%', StringComparison.Ordinal),
        FieldType.GeoPoint => format is "array" or "object",
        FieldType.GeoJson => format == "topojson",
        _ => false,
    };

    private static string FormatsOf(FieldType type) => type switch
    {
        FieldType.String => "default, email, uri, binary, uuid",
        FieldType.Date or FieldType.Time or FieldType.DateTime => "default, any, %Y-%m-%d …",
        FieldType.GeoPoint => "default, array, object",
        FieldType.GeoJson => "default, topojson",
        _ => "default",
    };

    private static bool IsSeparator(string text) => text.Length == 1 && !char.IsLetterOrDigit(text[0]) && !char.IsControl(text[0]) && text[0] is not ('+' or '-');

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..99] + "…";
}
