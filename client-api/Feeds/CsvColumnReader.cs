using DataHub.Catalog;

namespace DataHub.Feeds;

/// <summary>Reads the cells of one column by contract, profile and what the file's delimiter says.</summary>
internal sealed class CsvColumnReader
{
    private static readonly string[] s_germanInstants = ["%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y, %H:%M", "%d.%m.%Y, %H:%M:%S"];

    private readonly CompiledField _field;

    /// <summary>In the order in which they are tried; the first is the one that the contract or the profile names.</summary>
    private readonly CompiledField[] _readers;
    private readonly bool _numbers;
    private readonly bool _german;
    private readonly char _point;
    private readonly char? _group;

    public CsvColumnReader(CompiledField field, CsvTable table)
    {
        var profile = table.Profile;
        _field = field;
        _readers = [field];
        switch (field.Type)
        {
            case FieldType.Number or FieldType.Integer:
                var said = profile?.DecimalChar is not null || profile?.GroupChar is not null;
                _german = table.IsGerman && field.Spec.DecimalChar is null && field.Spec.GroupChar is null;
                _numbers = said || _german;
                _point = profile?.DecimalChar?[0] ?? '.';
                _group = profile?.GroupChar?[0];
                break;
            case FieldType.Date:
                if (profile?.DateFormat is { } date) _readers = [field.InFormat(date)];
                else if (IsGermanDate(field, table)) _readers = [field, field.InFormat("%d.%m.%Y")];
                break;
            case FieldType.DateTime:
                if (profile?.DateTimeFormat is { } instant) _readers = [field.InFormat(instant)];
                else if (IsGermanDate(field, table)) _readers = [field, .. s_germanInstants.Select(field.InFormat)];
                break;
            case FieldType.Boolean:
                if (profile?.TrueValues is { } yes && profile.FalseValues is { } no) _readers = [field.WithWords(yes, no)];
                else if (table.IsGerman && field.Spec.TrueValues is null && field.Spec.FalseValues is null) _readers = [field.WithWords([.. field.Words.Yes, "WAHR", "wahr"], [.. field.Words.No, "FALSCH", "falsch"])];
                break;
        }
    }

    /// <param name="text">Not a missing value.</param>
    public FieldFault Read(ReadOnlySpan<char> text, TextPool pool, out FieldValue value)
    {
        if (_numbers) return ReadNumber(text, out value);
        var fault = _readers[0].Read(text, pool, out value);
        for (var i = 1; i < _readers.Length && !fault.IsNone; i++)
        {
            var other = _readers[i].Read(text, pool, out value);
            // In this form it is one, though not one that passes: that is what is to be told.
            if (other.IsNone || other.Code is not (RowErrorCodes.NotADate or RowErrorCodes.NotADateTime)) return other;
        }

        return fault;
    }

    private FieldFault ReadNumber(ReadOnlySpan<char> text, out FieldValue value)
    {
        Span<char> plain = stackalloc char[CsvNumbers.Longest];
        var number = _field.Spec.BareNumber ? text : CsvNumbers.Bare(text);
        var read = _german
            ? CsvNumbers.ReadGerman(number, _field.Role is FieldRole.Longitude or FieldRole.Latitude, plain, out var length)
            : CsvNumbers.Read(number, _point, _group, plain, out length);
        if (read == CsvNumber.Plain) return _field.ReadNumber(plain[..length], out value);
        // INF and the like get the answer that they get everywhere.
        var fault = read == CsvNumber.None && !number.ContainsAnyInRange('0', '9') ? _field.Read(text, null, out value) : _field.WrongType(out value);
        return read == CsvNumber.Ambiguous ? new(RowErrorCodes.AmbiguousNumber, "\".\", \",\"") : fault;
    }

    private static bool IsGermanDate(CompiledField field, CsvTable table) => table.Delimiter == ';' && field.Spec.Format is null or "default";
}
