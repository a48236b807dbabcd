using System.Globalization;
using System.Xml;

using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>
/// Puts rows together field by field, checks each as a whole, resolves its area, and keeps it in columns or in
/// quarantine. Knows nothing of the format they come in. For one push and one thread.
/// </summary>
internal sealed class RowAssembler
{
    private const int LongestTold = 100;

    private readonly CompiledContract _contract;
    private readonly IRowAreas? _areas;
    private readonly IngestOptions _options;
    private readonly long _latest;
    private readonly int _maxRows;
    private readonly int _before;
    private readonly ColumnBuilder[] _columns;
    private readonly int[] _seenIn;
    private readonly int[] _required;
    private readonly (int Ordinal, Dictionary<byte[], byte[]> Keys)[] _unique;
    private readonly List<(int Ordinal, RowError Error)> _errors = [];
    private readonly List<QuarantinedRow> _quarantined = [];
    private readonly List<int> _quarantinedIn = [];
    private readonly int _partitions;
    private readonly List<string> _areaIds = [];
    private readonly Dictionary<string, int> _areaNumbers = new(StringComparer.Ordinal);

    private RowBlock? _view;
    private int[] _areaOf;
    private int[] _numbers;
    private bool[]? _deletes;
    private int _capacity;
    private int _count;
    private int _number;
    private bool _delete;
    private bool _tooManyErrors;
    private bool _unreadable;

    /// <param name="expectedRows">A guess.</param>
    /// <param name="maxRows">How many rows may come.</param>
    /// <param name="firstRow">Number of the first row in the push, from 1.</param>
    public RowAssembler(DecodeContext context, int expectedRows, int maxRows, int firstRow = 1)
    {
        var contract = context.Contract;
        _partitions = context.Partitions;
        _contract = contract;
        _areas = context.Areas;
        _options = context.Options;
        _latest = context.Now.UtcTicks + contract.Schema.MaxFuture.Ticks;
        _maxRows = maxRows;
        _before = _number = firstRow - 1;
        _capacity = Math.Clamp(expectedRows, 1, Math.Max(1, maxRows));
        _columns = new ColumnBuilder[contract.Fields.Length];
        for (var c = 0; c < _columns.Length; c++) _columns[c] = new(contract.Fields[c].Kind, _capacity);
        _seenIn = new int[contract.Fields.Length];
        _required = [.. contract.Fields.Where(f => f.Required).Select(f => f.Ordinal)];
        _unique = [.. contract.Fields.Where(f => f.Unique).Select(f => (f.Ordinal, new Dictionary<byte[], byte[]>(ByteKeyComparer.Instance)))];
        _areaOf = _areas is null ? [] : new int[_capacity];
        _numbers = new int[_capacity];
    }

    public int Received => _number - _before;

    public bool IsFull => Received >= _maxRows;

    /// <summary>Begins the next row; whatever stood in an unfinished one is forgotten.</summary>
    public void Begin()
    {
        _number++;
        _delete = false;
        _tooManyErrors = false;
        _unreadable = false;
        _errors.Clear();
        if (_count == _capacity) Grow();
        for (var c = 0; c < _columns.Length; c++) _columns[c].SetNull(_count);
    }

    /// <summary>Notes that a field stands in the row.</summary>
    /// <returns>False where it stood there before; that is an error of the row, and the value is not to be read.</returns>
    public bool See(int ordinal)
    {
        if (_seenIn[ordinal] == _number)
        {
            Fail(ordinal, RowErrorCodes.DuplicateField, null, default);
            return false;
        }

        _seenIn[ordinal] = _number;
        return true;
    }

    public void Set(int ordinal, in FieldValue value) => _columns[ordinal].Set(_count, value);

    public void Delete(bool delete) => _delete = delete;

    /// <summary>An error in a field of the contract.</summary>
    public void Fail(int ordinal, string code, string? expected, ReadOnlySpan<char> value)
    {
        var field = _contract.Fields[ordinal];
        Add(ordinal, new(_number, field.Name, code, expected, value.IsEmpty ? null : field.Role == FieldRole.Personal ? RowError.Masked : Shorten(value)));
    }

    /// <summary>An error in the row as a whole, or in something that is not a field of the contract. The value is not told: it may be anything, personal data too.</summary>
    public void Fail(string? field, string code, string? expected) => Add(-1, new(_number, field is null ? null : Shorten(field), code, expected, null));

    /// <summary>The row cannot be read or is not taken as it is: whatever was read of it means nothing, and nothing else is said of it.</summary>
    /// <param name="expected">Means the same in every language.</param>
    public void FailRow(string code, string expected)
    {
        _errors.Clear();
        _unreadable = true;
        Fail(null, code, expected);
    }

    /// <summary>Ends the row.</summary>
    /// <returns>Whether it passed; if not, <see cref="Quarantine"/> is to be called with its text.</returns>
    public bool End()
    {
        if (_unreadable) return false;
        if (_delete) KeepKeyOnly();
        foreach (var ordinal in _required)
        {
            if (!_columns[ordinal].IsNull(_count) || (_delete && !_contract.Fields[ordinal].IsKey) || HasError(ordinal)) continue;
            Fail(ordinal, RowErrorCodes.Required, null, default);
        }

        var area = -1;
        if (!_delete)
        {
            CheckTime();
            CheckLifeCycle();
            area = ResolveArea();
        }

        if (_errors.Count == 0 && !_delete) CheckUnique();
        if (_errors.Count > 0) return false;

        if (_areas is not null) _areaOf[_count] = area;
        if (_delete) _deletes ??= new bool[_capacity];
        if (_deletes is not null) _deletes[_count] = _delete;
        _numbers[_count] = _number;
        _count++;
        return true;
    }

    /// <summary>Keeps the row that did not pass.</summary>
    /// <param name="raw">Its content as JSON text.</param>
    public void Quarantine(string raw)
    {
        _quarantined.Add(new(_number, [.. _errors.Select(e => e.Error)], raw));
        _quarantinedIn.Add(PartitionOfFailed());
    }

    public DecodedPush Finish()
    {
        var columns = new Column[_columns.Length];
        for (var c = 0; c < columns.Length; c++)
        {
            _columns[c].Resize(_count);
            columns[c] = _columns[c].View();
        }

        if (_areas is not null) Array.Resize(ref _areaOf, _count);
        if (_deletes is not null) Array.Resize(ref _deletes, _count);
        Array.Resize(ref _numbers, _count);
        return new(
            new()
            {
                Count = _count,
                Columns = columns,
                Areas = [.. _areaIds],
                AreaOf = _areas is null ? null : _areaOf,
                // Rows that all passed are numbered 1, 2, 3, ….
                Numbers = _quarantined.Count == 0 && _before == 0 ? null : _numbers,
                Deletes = _deletes,
            },
            _quarantined,
            _quarantinedIn,
            Received);
    }

    private void Add(int ordinal, RowError error)
    {
        if (_errors.Count < _options.MaxErrorsPerRow) _errors.Add((ordinal, error));
        else _tooManyErrors = true;
    }

    /// <summary>Of a retraction only the key counts, and the revision that says whether it is not outdated.</summary>
    private void KeepKeyOnly()
    {
        // An error that did not fit any more might be one of the key's.
        if (!_tooManyErrors)
            _errors.RemoveAll(e => e.Ordinal >= 0 && !Counts(e.Ordinal));
        for (var c = 0; c < _columns.Length; c++)
            if (!Counts(c)) _columns[c].SetNull(_count);

        bool Counts(int ordinal) => _contract.Fields[ordinal].IsKey || ordinal == _contract.RevisionField;
    }

    private void CheckTime()
    {
        var field = _contract.TimeField;
        if (field < 0 || _columns[field].IsNull(_count)) return;
        var time = _contract.TimeTicks(_columns[field].Integer(_count));
        if (time > _latest)
            Fail(field, RowErrorCodes.TooFarInTheFuture, XmlConvert.ToString(_contract.Schema.MaxFuture), new DateTime(time, DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ssK", CultureInfo.InvariantCulture));
    }

    private void CheckLifeCycle()
    {
        var (opened, closed) = (_contract.OpenedField, _contract.ClosedField);
        if (opened < 0 || closed < 0 || _columns[opened].IsNull(_count) || _columns[closed].IsNull(_count)) return;
        var (begin, end) = (_contract.InstantTicks(_columns[opened].Integer(_count), opened), _contract.InstantTicks(_columns[closed].Integer(_count), closed));
        if (end < begin) Fail(closed, RowErrorCodes.ClosedBeforeOpened, Text(begin), Text(end));

        static string Text(long instant) => new DateTime(instant, DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ssK", CultureInfo.InvariantCulture);
    }

    private int ResolveArea()
    {
        var (area, longitude, latitude) = (_contract.AreaField, _contract.LongitudeField, _contract.LatitudeField);
        var hasPoint = false;
        if (longitude >= 0)
        {
            // Half a point whose other half was refused has been told already.
            var noLongitude = _columns[longitude].IsNull(_count);
            var noLatitude = _columns[latitude].IsNull(_count);
            if (noLongitude != noLatitude && !HasError(longitude) && !HasError(latitude))
                Fail(noLongitude ? longitude : latitude, RowErrorCodes.IncompletePoint, null, default);
            hasPoint = !noLongitude && !noLatitude;
        }

        if (_areas is null) return -1;
        if (area >= 0 && _columns[area].Text(_count) is { } id)
        {
            if (_areaNumbers.TryGetValue(id, out var number)) return number;
            if (_areas.Knows(id)) return NumberOf(id);
            Fail(area, RowErrorCodes.UnknownArea, _areas.System, id);
            return -1;
        }

        if (!hasPoint || (area >= 0 && HasError(area))) return -1;
        if (_areas.Locate(_columns[longitude].Number(_count), _columns[latitude].Number(_count)) is { } located) return NumberOf(located);
        Fail(longitude, RowErrorCodes.OutsideAllAreas, _areas.System, string.Create(CultureInfo.InvariantCulture, $"{_columns[longitude].Number(_count)}, {_columns[latitude].Number(_count)}"));
        return -1;
    }

    private int NumberOf(string area)
    {
        if (_areaNumbers.TryGetValue(area, out var number)) return number;
        _areaNumbers.Add(area, number = _areaIds.Count);
        _areaIds.Add(area);
        return number;
    }

    /// <summary>
    /// A row that did not pass belongs where it would have gone: a retry under a newer contract, which may let it pass,
    /// then finds it in the same part.
    /// </summary>
    private int PartitionOfFailed()
    {
        var first = _contract.Key[0];
        return _partitions == 1 || _unreadable || _columns[first].IsNull(_count) || HasError(first) ? 0 : RowKeys.Partition(_contract, View(), _count, _partitions);
    }

    /// <summary>The columns as a block, for what reads blocks.</summary>
    private RowBlock View() => _view ??= new() { Count = _capacity, Columns = [.. _columns.Select(c => c.View())] };

    private void CheckUnique()
    {
        if (_unique.Length == 0) return;
        var key = RowKeys.Key(_contract, View(), _count);
        foreach (var (ordinal, keys) in _unique)
        {
            // Nulls are not values; the same key again is a correction.
            if (_columns[ordinal].IsNull(_count)) continue;
            var value = RowKeys.Value(View(), _count, ordinal);
            if (!keys.TryAdd(value, key) && !ByteKeyComparer.Instance.Equals(keys[value], key))
                Fail(ordinal, RowErrorCodes.NotUnique, null, default);
        }
    }

    private bool HasError(int ordinal)
    {
        foreach (var (of, _) in _errors)
            if (of == ordinal) return true;
        return false;
    }

    private void Grow()
    {
        _capacity = Math.Min(_maxRows, _capacity * 2);
        for (var c = 0; c < _columns.Length; c++) _columns[c].Resize(_capacity);
        if (_areas is not null) Array.Resize(ref _areaOf, _capacity);
        if (_deletes is not null) Array.Resize(ref _deletes, _capacity);
        Array.Resize(ref _numbers, _capacity);
        _view = null;
    }

    private static string Shorten(ReadOnlySpan<char> text)
    {
        if (text.Length <= LongestTold) return text.ToString();
        // Not between the halves of a surrogate pair.
        var end = char.IsHighSurrogate(text[LongestTold - 2]) ? LongestTold - 2 : LongestTold - 1;
        return string.Concat(text[..end], "…");
    }
}
