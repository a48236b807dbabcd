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
    private readonly RowLayout _layout;
    private readonly RowBuffer _rows;
    private readonly int[] _seenIn;
    private readonly Dictionary<byte[], byte[]>[] _unique;
    private readonly List<(int Ordinal, RowError Error)> _errors = [];
    private readonly List<QuarantinedRow> _quarantined = [];
    private readonly List<int> _quarantinedIn = [];
    private readonly int _partitions;

    private int _number;
    private bool _delete;
    private bool _anyDelete;
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
        _layout = RowLayout.Of(contract);
        _rows = new(_layout, Math.Clamp(expectedRows, 1, Math.Max(1, maxRows)));
        _seenIn = new int[contract.Fields.Length];
        _unique = [.. _layout.Unique.Select(_ => new Dictionary<byte[], byte[]>(ByteKeyComparer.Instance))];
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
        _rows.Begin();
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

    public void Set(int ordinal, in FieldValue value) => _rows.Set(ordinal, value);

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
        foreach (var ordinal in _layout.Required)
        {
            if (!_rows.IsNull(ordinal) || (_delete && !_contract.Fields[ordinal].IsKey) || HasError(ordinal)) continue;
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

        _anyDelete |= _delete;
        _rows.Keep(_number, area, _delete);
        return true;
    }

    /// <summary>Keeps the row that did not pass.</summary>
    /// <param name="raw">Its content as JSON text.</param>
    public void Quarantine(string raw)
    {
        _quarantined.Add(new(_number, [.. _errors.Select(e => e.Error)], raw));
        _quarantinedIn.Add(PartitionOfFailed());
    }

    /// <summary>What was read; nothing more is to be asked of this object.</summary>
    public DecodedPush Finish()
    {
        // Rows that all passed are numbered 1, 2, 3, ….
        var numbered = _quarantined.Count > 0 || _before > 0;
        return new(_rows.Finish(_areas, numbered, _anyDelete), _quarantined, _quarantinedIn, Received);
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
        for (var c = 0; c < _seenIn.Length; c++)
            if (!Counts(c)) _rows.SetNull(c);

        bool Counts(int ordinal) => _contract.Fields[ordinal].IsKey || ordinal == _contract.RevisionField;
    }

    private void CheckTime()
    {
        var field = _contract.TimeField;
        if (field < 0 || _rows.IsNull(field)) return;
        var time = _contract.TimeTicks(_rows.Integer(field));
        if (time > _latest)
            Fail(field, RowErrorCodes.TooFarInTheFuture, XmlConvert.ToString(_contract.Schema.MaxFuture), new DateTime(time, DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ssK", CultureInfo.InvariantCulture));
    }

    private void CheckLifeCycle()
    {
        var (opened, closed) = (_contract.OpenedField, _contract.ClosedField);
        if (opened < 0 || closed < 0 || _rows.IsNull(opened) || _rows.IsNull(closed)) return;
        var (begin, end) = (_contract.InstantTicks(_rows.Integer(opened), opened), _contract.InstantTicks(_rows.Integer(closed), closed));
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
            var noLongitude = _rows.IsNull(longitude);
            var noLatitude = _rows.IsNull(latitude);
            if (noLongitude != noLatitude && !HasError(longitude) && !HasError(latitude))
                Fail(noLongitude ? longitude : latitude, RowErrorCodes.IncompletePoint, null, default);
            hasPoint = !noLongitude && !noLatitude;
        }

        if (_areas is null) return -1;
        if (area >= 0 && _rows.Text(area) is { } id)
        {
            if (_areas.Find(id) is >= 0 and var named) return named;
            Fail(area, RowErrorCodes.UnknownArea, _areas.System, id);
            return -1;
        }

        if (!hasPoint || (area >= 0 && HasError(area))) return -1;
        if (_areas.Locate(_rows.Number(longitude), _rows.Number(latitude)) is >= 0 and var located) return located;
        Fail(longitude, RowErrorCodes.OutsideAllAreas, _areas.System, string.Create(CultureInfo.InvariantCulture, $"{_rows.Number(longitude)}, {_rows.Number(latitude)}"));
        return -1;
    }

    /// <summary>
    /// A row that did not pass belongs where it would have gone: a retry under a newer contract, which may let it pass,
    /// then finds it in the same part.
    /// </summary>
    private int PartitionOfFailed()
    {
        var first = _contract.Key[0];
        return _partitions == 1 || _unreadable || _rows.IsNull(first) || HasError(first) ? 0 : RowKeys.Partition(_contract, _rows.Single(), 0, _partitions);
    }

    private void CheckUnique()
    {
        if (_unique.Length == 0) return;
        var row = _rows.Single();
        var key = RowKeys.Key(_contract, row, 0);
        for (var i = 0; i < _unique.Length; i++)
        {
            // Nulls are not values; the same key again is a correction.
            var ordinal = _layout.Unique[i];
            if (_rows.IsNull(ordinal)) continue;
            var value = RowKeys.Value(row, 0, ordinal);
            if (!_unique[i].TryAdd(value, key) && !ByteKeyComparer.Instance.Equals(_unique[i][value], key))
                Fail(ordinal, RowErrorCodes.NotUnique, null, default);
        }
    }

    private bool HasError(int ordinal)
    {
        foreach (var (of, _) in _errors)
            if (of == ordinal) return true;
        return false;
    }

    private static string Shorten(ReadOnlySpan<char> text)
    {
        if (text.Length <= LongestTold) return text.ToString();
        // Not between the halves of a surrogate pair.
        var end = char.IsHighSurrogate(text[LongestTold - 2]) ? LongestTold - 2 : LongestTold - 1;
        return string.Concat(text[..end], "…");
    }
}
