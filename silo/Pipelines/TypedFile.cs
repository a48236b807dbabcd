using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>
/// One file of a kind that has types of its own, read twice: once to find out what its columns can be, once to take its
/// rows. Whatever its size, a batch is in memory.
/// </summary>
/// <param name="open">Its rows from the beginning.</param>
internal sealed class TypedFile(FileFormat format, Func<TypedRows> open)
{
    private readonly TimeZoneInfo? _zone = Zone(format);
    private readonly string[] _missing = format.MissingValues ?? [""];

    /// <param name="moved">Told now and then that rows were taken.</param>
    public async Task<FileReport> ReadAsync(Action<TableColumn[]> opened, Func<RowBlock, Task> rows, Action moved, CancellationToken cancellationToken)
    {
        var notes = new List<StepNote>();
        var (columns, found) = Look(notes, cancellationToken);
        opened([.. columns.Select(column => column.Builder.Column)]);
        await TakeAsync(columns, rows, notes, moved, cancellationToken);
        return new([.. notes], FileReport.WithColumns(found, [.. columns.Select(column => (column.Heading, column.Builder.Column, column.Builder.Format))]));
    }

    /// <summary>The zone that the format names.</summary>
    public static TimeZoneInfo? Zone(FileFormat format) => format.TimeZone is not { } id ? null
        : TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone
        : throw new StepException(new($"Die Zeitzone „{id}“ kennt dieser Server nicht.", $"This server does not know the time zone “{id}”."));

    private (List<TypedColumn> Columns, FileFormat Found) Look(List<StepNote> notes, CancellationToken cancellationToken)
    {
        using var rows = open();
        var types = new List<TypedColumnType>();
        if (!rows.HeadingsFirst || format.Columns is not { } wanted || wanted.Any(column => column.Type is null))
        {
            for (var read = 1; rows.Read(); read++)
            {
                if (read % 1_000 == 0) cancellationToken.ThrowIfCancellationRequested();
                if (rows.Headings.Count > JobLimits.Columns) break;
                while (types.Count < rows.Headings.Count) types.Add(new());
                for (var i = 0; i < rows.Cells.Count; i++)
                {
                    if (!IsMissing(rows.Cells[i])) types[i].Add(rows.Cells[i]);
                }
            }
        }

        while (types.Count < rows.Headings.Count) types.Add(new());
        if (rows.Headings.Count > JobLimits.Columns) throw Wrong($"Die Datei hat mehr als {JobLimits.Columns} Spalten.", $"The file has more than {JobLimits.Columns} columns.");
        notes.Add(new("info", rows.Found));
        var columns = Columns(rows, types);
        foreach (var clock in columns.Where(column => _zone is null && column.Builder.Column.Type == FieldType.String && types[column.At].NeedsZone))
        {
            notes.Add(new("warning", new(
                $"„{clock.Heading}“ hat Zeitpunkte ohne Zeitzone und bleibt Text; mit timeZone, etwa Europe/Berlin, werden es Zeitpunkte.",
                $"“{clock.Heading}” has times without a time zone and stays text; with timeZone, such as Europe/Berlin, they become instants.")));
        }

        return (columns, rows.Complete(format));
    }

    private List<TypedColumn> Columns(TypedRows rows, List<TypedColumnType> types)
    {
        var (columns, names) = (new List<TypedColumn>(), new HeadingNames());
        if (format.Columns is null)
        {
            for (var i = 0; i < rows.Headings.Count; i++)
            {
                if (!rows.IsLeftOut(i, types[i].Any)) columns.Add(Column(i, new(rows.Headings[i]) { Name = names.Next(rows.Headings[i]) }));
            }

            return columns;
        }

        foreach (var column in format.Columns)
        {
            int[] at = [.. Enumerable.Range(0, rows.Headings.Count).Where(i => string.Equals(rows.Headings[i].Trim(), column.Header.Trim(), StringComparison.OrdinalIgnoreCase))];
            if (at.Length == 0)
                throw Wrong($"Die Spalte „{column.Header}“ fehlt; die Datei hat: {string.Join(", ", rows.Headings.Take(30))}.", $"The column “{column.Header}” is missing; the file has: {string.Join(", ", rows.Headings.Take(30))}.");
            if (at.Length > 1)
                throw Wrong($"Die Überschrift „{column.Header}“ gibt es mehrmals: {string.Join(", ", at.Select(rows.HeadingPlace))}.", $"The heading “{column.Header}” is there several times: {string.Join(", ", at.Select(rows.HeadingPlace))}.");
            columns.Add(Column(at[0], column));
        }

        return columns;

        TypedColumn Column(int at, FileColumn column)
        {
            var type = column.Type is { } said ? JobSql.TypeOf(said) : types[at].Narrowest(_zone is not null);
            return new(at, rows.Headings[at], new(new(column.Name ?? JobRules.ColumnName(column.Header), type), format.DecimalChar == ",", column.Format, _zone));
        }
    }

    private async Task TakeAsync(List<TypedColumn> columns, Func<RowBlock, Task> rows, List<StepNote> notes, Action moved, CancellationToken cancellationToken)
    {
        using var file = open();
        var (count, size, faults) = (0, 0L, 0L);
        var named = new List<StepNote>();
        Begin();
        for (var read = 1; file.Read(); read++)
        {
            if (read % 1_000 == 0) cancellationToken.ThrowIfCancellationRequested();
            if (Take() is { } fault) Fault(fault);
            else count++;
            if (count < TableCodec.BatchRows) continue;
            await rows(Block());
            moved();
            Begin();
        }

        if (count > 0) await rows(Block());
        if (faults > 0) notes.Add(new("warning", new($"{faults} Zeilen wurden ausgelassen (maxFaults {format.MaxFaults}).", $"{faults} rows were left out (maxFaults {format.MaxFaults}).")));
        notes.AddRange(named);

        void Begin()
        {
            (count, size) = (0, 0);
            foreach (var column in columns) column.Builder.Begin(TableCodec.BatchRows);
        }

        RowBlock Block() => new() { Count = count, Columns = [.. columns.Select(column => column.Builder.Finish(count))] };

        LocalText? Take()
        {
            if (file.Fault is { } wrong) return wrong;
            if (format.Columns is null && file.Beside is { } beside) return beside;
            foreach (var (at, heading, builder) in columns)
            {
                var cell = at < file.Cells.Count ? file.Cells[at] : default;
                if ((size += cell.Text?.Length ?? 0) > CsvFile.LargestBatch)
                    throw Wrong($"{file.Place(at).De}: {TableCodec.BatchRows} Zeilen haben zusammen mehr als {CsvFile.LargestBatch} Zeichen; so lange Texte nimmt eine Tabelle nicht.", $"{file.Place(at).In("en")}: {TableCodec.BatchRows} rows together have more than {CsvFile.LargestBatch} characters; a table does not take texts that long.");
                if (IsMissing(cell)) builder.SetNull(count);
                else if (cell.Into(builder, count, format.DecimalChar, _zone) is { } reason)
                    return new($"{file.Place(at).De}, Spalte „{heading}“: {reason.De}", $"{file.Place(at).In("en")}, column “{heading}”: {reason.In("en")}");
            }

            return null;
        }

        void Fault(LocalText text)
        {
            if (named.Count < CsvFile.Named) named.Add(new(format.MaxFaults == 0 ? "error" : "warning", text));
            if (++faults > format.MaxFaults) throw new StepException(named[0].Text) { Notes = [.. notes, .. named] };
        }
    }

    private bool IsMissing(in TypedCell cell)
    {
        if (cell.Kind == CellKind.Empty || (cell.Kind == CellKind.Fault && cell.Text is null)) return cell.Kind == CellKind.Empty;
        if (_missing is [""]) return cell.Kind == CellKind.Text && cell.Text.AsSpan().IsWhiteSpace();
        var shown = cell.Shown.AsSpan().Trim();
        if (shown.IsEmpty) return true;
        foreach (var word in _missing)
            if (shown.SequenceEqual(word)) return true;
        return false;
    }

    private static StepException Wrong(string de, string en) => new(new(de, en));

    /// <param name="At">Its place among the headings.</param>
    private sealed record TypedColumn(int At, string Heading, ColumnBuilder Builder);
}
