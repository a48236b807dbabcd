using System.Collections.Frozen;
using System.Collections.Immutable;

using DataHub.Feeds;

namespace DataHub.Catalog;

/// <summary>
/// A dataset's contract, checked and made ready to read rows with. Immutable; safe for all threads; compile once per
/// version and keep.
/// </summary>
public sealed class CompiledContract
{
    /// <summary>The zone of a date in role time that names none.</summary>
    public const string DefaultTimeZone = "Europe/Berlin";

    private readonly FrozenDictionary<string, int> _ordinals;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ordinalsBySpan;
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _missingValues;
    private readonly TimeZoneInfo? _dateZone;

    private CompiledContract(TableSchema schema, DatasetKind kind, ImmutableArray<CompiledField> fields)
    {
        Schema = schema;
        Kind = kind;
        Fields = fields;
        _ordinals = fields.ToFrozenDictionary(f => f.Name, f => f.Ordinal, StringComparer.Ordinal);
        _ordinalsBySpan = _ordinals.GetAlternateLookup<ReadOnlySpan<char>>();
        Key = [.. schema.PrimaryKey.Select(name => _ordinals[name])];
        TimeField = OrdinalOf(FieldRole.Time);
        if (TimeField < 0) TimeField = OrdinalOf(FieldRole.Opened);
        AreaField = OrdinalOf(FieldRole.Area);
        LongitudeField = OrdinalOf(FieldRole.Longitude);
        LatitudeField = OrdinalOf(FieldRole.Latitude);
        RevisionField = OrdinalOf(FieldRole.Revision);
        OpenedField = OrdinalOf(FieldRole.Opened);
        ClosedField = OrdinalOf(FieldRole.Closed);
        Series = SeriesOf();
        KeyIsSeriesAndTime = kind == DatasetKind.Observations
            && Key.Length == Series.Length + 1 && Key.Contains(TimeField) && Series.All(s => Key.Contains(s));
        if (TimeField >= 0 && fields[TimeField].Type == FieldType.Date)
            _dateZone = TimeZoneInfo.FindSystemTimeZoneById(fields[TimeField].Spec.TimeZone ?? DefaultTimeZone);
        _missingValues = schema.MissingValues.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public TableSchema Schema { get; }

    public DatasetKind Kind { get; }

    public int Version => Schema.Version;

    /// <summary>By ordinal.</summary>
    public ImmutableArray<CompiledField> Fields { get; }

    /// <summary>Ordinals of the primary key's fields, in the key's order.</summary>
    public int[] Key { get; }

    /// <summary>Ordinal of the field with role time, else of that with role opened; −1 where there is none.</summary>
    public int TimeField { get; }

    /// <summary>−1 where there is none, as for all of these.</summary>
    public int AreaField { get; }

    public int LongitudeField { get; }

    public int LatitudeField { get; }

    public int RevisionField { get; }

    /// <summary>When a record's life begins; −1 where there is none.</summary>
    public int OpenedField { get; }

    /// <summary>When it ends.</summary>
    public int ClosedField { get; }

    /// <summary>
    /// Ordinals of the fields that name a series, ascending: those with role series, or without any the key's fields
    /// other than the time. Empty for records.
    /// </summary>
    public int[] Series { get; }

    /// <summary>The primary key is exactly the series and the time: a row newer than all of its series is new.</summary>
    public bool KeyIsSeriesAndTime { get; }

    /// <summary>The primary key contains the row's time, so that who knows the one knows the other. Never changes from version to version.</summary>
    public bool KeyHasTime => TimeField >= 0 && Key.Contains(TimeField);

    /// <summary>Whether a text means null in CSV.</summary>
    public bool IsMissing(ReadOnlySpan<char> text) => _missingValues.Contains(text);

    /// <summary>Checks a schema and makes a contract of it.</summary>
    /// <exception cref="ContractException">The schema cannot be a contract; names all problems found.</exception>
    public static CompiledContract Compile(TableSchema schema, DatasetKind kind)
    {
        var problems = ContractCheck.Check(schema, kind);
        if (problems.Count > 0) throw new ContractException(problems);

        var key = schema.PrimaryKey.ToFrozenSet(StringComparer.Ordinal);
        var fields = ImmutableArray.CreateBuilder<CompiledField>(schema.Fields.Length);
        for (var i = 0; i < schema.Fields.Length; i++)
        {
            var spec = schema.Fields[i];
            var isKey = key.Contains(spec.Name);
            var required = isKey || spec.Constraints.Required || (kind == DatasetKind.Observations && spec.Role == FieldRole.Time);
            fields.Add(CompiledField.Compile(spec, i, isKey, required, problems));
        }

        if (problems.Count > 0) throw new ContractException(problems);
        return new(schema, kind, fields.MoveToImmutable());
    }

    /// <summary>The field's ordinal, or −1 where there is no such field.</summary>
    public int OrdinalOf(string name) => _ordinals.TryGetValue(name, out var ordinal) ? ordinal : -1;

    /// <inheritdoc cref="OrdinalOf(string)"/>
    public int OrdinalOf(ReadOnlySpan<char> name) => _ordinalsBySpan.TryGetValue(name, out var ordinal) ? ordinal : -1;

    /// <summary>The instant a row belongs to, in ticks UTC; <see cref="long.MinValue"/> where it has none.</summary>
    public long TimeTicks(RowBlock block, int row) =>
        TimeField < 0 ? long.MinValue : TimeTicks(block.Columns[TimeField].Integers![row]);

    /// <summary>The instant a value of the time field stands for, in ticks UTC. A date is the instant its day begins in the field's zone.</summary>
    public long TimeTicks(long value) => value == Column.NullInteger || _dateZone is null ? value : DayBegins(value, _dateZone);

    /// <summary>The instant in a field of type datetime or date, in ticks UTC; <see cref="long.MinValue"/> for null. A date is the instant its day begins in the field's zone.</summary>
    public long InstantTicks(RowBlock block, int row, int field) => InstantTicks(block.Columns[field].Integers![row], field);

    /// <summary>The same for a value of the field.</summary>
    public long InstantTicks(long value, int field) => value == Column.NullInteger || Fields[field].Type != FieldType.Date
        ? value
        : DayBegins(value, TimeZoneInfo.FindSystemTimeZoneById(Fields[field].Spec.TimeZone ?? DefaultTimeZone));

    /// <summary>
    /// Whether rows stored under <paramref name="older"/> keep their meaning under this contract: same key, all its
    /// fields in their places with the same type and role, new fields only after them and optional.
    /// </summary>
    public bool CanFollow(CompiledContract older, out IReadOnlyList<ContractProblem> problems)
    {
        problems = ContractEvolution.Breaks(older.Schema, older.Kind, Schema, Kind);
        return problems.Count == 0;
    }

    /// <summary>Ticks UTC at which a day begins in a zone; where midnight is skipped, the first instant after the gap.</summary>
    internal static long DayBegins(long dayNumber, TimeZoneInfo zone)
    {
        var midnight = DateOnly.FromDayNumber((int)dayNumber).ToDateTime(TimeOnly.MinValue);
        // The first local time that exists; gaps are whole minutes and never longer than a day.
        while (zone.IsInvalidTime(midnight)) midnight = midnight.AddMinutes(1);
        // Midnight that comes twice begins the day the first time: the larger offset.
        var offset = zone.IsAmbiguousTime(midnight) ? zone.GetAmbiguousTimeOffsets(midnight).Max() : zone.GetUtcOffset(midnight);
        return Math.Max(0, midnight.Ticks - offset.Ticks);
    }

    private int OrdinalOf(FieldRole role)
    {
        foreach (var field in Fields)
            if (field.Role == role) return field.Ordinal;
        return -1;
    }

    private int[] SeriesOf()
    {
        if (Kind != DatasetKind.Observations) return [];
        var series = Fields.Where(f => f.Role == FieldRole.Series).Select(f => f.Ordinal).ToArray();
        return series.Length > 0 ? series : [.. Key.Where(k => k != TimeField).Order()];
    }
}
