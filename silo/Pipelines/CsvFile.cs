using System.Text;

using DataHub.Catalog;
using DataHub.Feeds;

using Sylvan.Data.Csv;

namespace DataHub.Pipelines;

/// <summary>
/// One CSV file, read twice: once to find out what nobody said of it (encoding, delimiter, heading, decimals, types), once
/// to take its rows. Whatever its size, a piece and a batch are in memory.
/// </summary>
internal sealed class CsvFile(IFileStore files, string name, FileFormat format)
{
    /// <summary>Characters from whose lines the delimiter and the line of headings are found out.</summary>
    private const int Sample = 1 << 16;

    /// <summary>Longest cell, in characters.</summary>
    public const int LongestCell = 1 << 20;

    /// <summary>Characters of all cells of a batch together.</summary>
    public const int LargestBatch = 64 << 20;

    /// <summary>Faults that are named.</summary>
    public const int Named = 20;

    /// <summary>A line that begins with # is a row; this character is in no text.</summary>
    private const char NoComment = '\uFFFF';

    private static readonly char[] s_delimiters = [';', ',', '\t', '|'];

    private readonly TimeZoneInfo? _zone = TypedFile.Zone(format);

    public async Task<FileReport> ReadAsync(Action<TableColumn[]> opened, Func<RowBlock, Task> rows, Action<long> read, CancellationToken cancellationToken)
    {
        var notes = new List<StepNote>();
        try
        {
            var layout = await LookAsync(notes, cancellationToken);
            opened([.. layout.Columns.Select(column => column.Builder.Column)]);
            await TakeAsync(layout, rows, notes, read, cancellationToken);
            return new([.. notes], Found(layout));
        }
        catch (CsvRecordTooLargeException)
        {
            throw Wrong($"Eine Zeile ist länger als {LongestCell} Zeichen; vielleicht fehlt ein schließendes Anführungszeichen.", $"A line is longer than {LongestCell} characters; a closing quotation mark may be missing.");
        }
        catch (CsvFormatException e)
        {
            throw Wrong($"Um Zeile {e.RowNumber} ist die Datei kein lesbares CSV; vielleicht fehlt ein schließendes Anführungszeichen.", $"Around line {e.RowNumber} the file is not readable as CSV; a closing quotation mark may be missing.");
        }
        catch (DecoderFallbackException)
        {
            throw Wrong($"Die Datei ist kein {format.Encoding}.", $"The file is not in {format.Encoding}.");
        }
    }

    /// <summary>The format by which the next file is read as this one was.</summary>
    private FileFormat Found(CsvLayout layout)
    {
        var numbers = layout.Columns.Where(column => column.Builder.Column.Type is FieldType.Number or FieldType.Integer).Select(column => column.Builder.HasComma).Distinct().ToArray();
        return FileReport.WithColumns(
            format with
            {
                Type = "csv",
                Encoding = layout.Encoding.WebName is "utf-16BE" ? "utf-16" : layout.Encoding.WebName,
                Delimiter = layout.Delimiter.ToString(),
                // Where columns have signs of their own, each file's are found out anew.
                DecimalChar = format.DecimalChar ?? (numbers.Length == 1 ? numbers[0] ? "," : "." : null),
                HeaderRow = layout.HeaderRow,
            },
            [.. layout.Columns.Select(column => (column.Heading, column.Builder.Column, column.Builder.Format))]);
    }

    /// <summary>What the file is like: what was said of it, and what it shows.</summary>
    private async Task<CsvLayout> LookAsync(List<StepNote> notes, CancellationToken cancellationToken)
    {
        var (encoding, delimiter, headerRow) = await SampleAsync(cancellationToken);
        if (format.Encoding is not null || encoding is not UTF8Encoding) return await ScanAsync(encoding, delimiter, headerRow, notes, cancellationToken);
        try
        {
            return await ScanAsync(encoding, delimiter, headerRow, notes, cancellationToken);
        }
        catch (DecoderFallbackException)
        {
            // Nobody said, and it is no UTF-8: what Excel writes then.
            return await ScanAsync(Encodings("windows-1252"), delimiter, headerRow, notes, cancellationToken);
        }
    }

    private async Task<CsvLayout> ScanAsync(Encoding encoding, char delimiter, int headerRow, List<StepNote> notes, CancellationToken cancellationToken)
    {
        var headers = new List<string>();
        CellType[] types = [];
        var isKnown = format.Columns is { } wanted && wanted.All(column => column.Type is not null) && format.DecimalChar is not null && format.Encoding is not null;
        var missing = Missing();
        await using (var csv = await OpenAsync(encoding, delimiter, headerRow, null, cancellationToken))
        {
            for (var i = 0; i < csv.FieldCount; i++) headers.Add(csv.GetName(i).Trim());
            if (headers.Count > JobLimits.Columns) throw Wrong($"Die Datei hat {headers.Count} Spalten; höchstens {JobLimits.Columns} sind erlaubt.", $"The file has {headers.Count} columns; at most {JobLimits.Columns} are allowed.");
            types = [.. headers.Select(_ => new CellType(_zone))];
            while (!isKnown && await csv.ReadAsync(cancellationToken))
            {
                for (var i = 0; i < Math.Min(csv.RowFieldCount, types.Length); i++)
                {
                    var cell = csv.GetFieldSpan(i).Trim();
                    if (!IsMissing(cell, missing)) types[i].Add(cell);
                }
            }
        }

        var comma = format.DecimalChar is { } said ? said == "," : Array.Exists(types, type => type.NeedsComma) && (delimiter != ',' || !Array.Exists(types, type => type.NeedsPoint));
        var columns = Columns(headers, types, comma, delimiter);
        if (format.DecimalChar is null && columns.FirstOrDefault(column => column.Builder.Column.Type is FieldType.Number or FieldType.Integer && types[column.At].IsAmbiguous) is { } twofold)
        {
            throw Wrong(
                $"Zahlen in „{headers[twofold.At]}“ lassen sich zweifach lesen (1.234 als tausendzweihundertvierunddreißig oder als eins Komma zwei). decimalChar angeben.",
                $"Numbers in “{headers[twofold.At]}” can be read in two ways (1.234 as one thousand two hundred thirty-four or as one point two). Say decimalChar.");
        }

        var names = new { Encoding = encoding.WebName, Delimiter = delimiter == '\t' ? "Tab" : delimiter.ToString(), Decimal = comma ? "," : "." };
        notes.Add(new("info", new(
            $"Gelesen als {names.Encoding}, Trennzeichen {names.Delimiter}, Dezimalzeichen {names.Decimal}, Überschriften in Zeile {headerRow}.",
            $"Read as {names.Encoding}, delimiter {names.Delimiter}, decimal sign {names.Decimal}, headings in line {headerRow}.")));
        return new(encoding, delimiter, headerRow, headers.Count, columns, missing);
    }

    private async Task TakeAsync(CsvLayout layout, Func<RowBlock, Task> rows, List<StepNote> notes, Action<long> read, CancellationToken cancellationToken)
    {
        await using var csv = await OpenAsync(layout.Encoding, layout.Delimiter, layout.HeaderRow, read, cancellationToken);
        var (count, line, faults) = (0, (long)layout.HeaderRow, 0L);
        var size = 0L;
        var named = new List<StepNote>();
        Begin();
        while (await csv.ReadAsync(cancellationToken))
        {
            line++;
            // An empty line is no row.
            if (csv.RowFieldCount == 1 && layout.Fields > 1 && csv.GetFieldSpan(0).IsWhiteSpace()) continue;
            if (csv.RowFieldCount > layout.Fields || !Take(line)) Fault(line);
            else count++;
            if (count < TableCodec.BatchRows) continue;
            await rows(Block());
            Begin();
        }

        if (count > 0) await rows(Block());
        if (faults > 0) notes.Add(new("warning", new($"{faults} Zeilen wurden ausgelassen (maxFaults {format.MaxFaults}).", $"{faults} rows were left out (maxFaults {format.MaxFaults}).")));
        notes.AddRange(named);

        void Begin()
        {
            count = 0;
            size = 0;
            foreach (var column in layout.Columns) column.Builder.Begin(TableCodec.BatchRows);
        }

        RowBlock Block() => new() { Count = count, Columns = [.. layout.Columns.Select(column => column.Builder.Finish(count))] };

        bool Take(long at)
        {
            foreach (var (place, _, builder) in layout.Columns)
            {
                var cell = place < csv.RowFieldCount ? csv.GetFieldSpan(place) : default;
                var trimmed = cell.Trim();
                if ((size += cell.Length) > LargestBatch)
                    throw Wrong($"Um Zeile {at} haben {TableCodec.BatchRows} Zeilen zusammen mehr als {LargestBatch} Zeichen; so lange Texte nimmt eine Tabelle nicht.", $"Around line {at} {TableCodec.BatchRows} rows together have more than {LargestBatch} characters; a table does not take texts that long.");
                if (IsMissing(trimmed, layout.Missing)) builder.SetNull(count);
                else if (!builder.Set(count, builder.Column.Type == FieldType.String ? cell : trimmed))
                {
                    Name(new(
                        $"Zeile {at}, Spalte „{builder.Column.Name}“: „{Short(trimmed)}“ ist kein Wert der Art {Word(builder.Column.Type)}.",
                        $"Line {at}, column “{builder.Column.Name}”: “{Short(trimmed)}” is no value of type {Word(builder.Column.Type)}."));
                    return false;
                }
            }

            return true;
        }

        void Fault(long at)
        {
            if (csv.RowFieldCount > layout.Fields) Name(new($"Zeile {at} hat {csv.RowFieldCount} Spalten, die Überschrift {layout.Fields}.", $"Line {at} has {csv.RowFieldCount} columns, the heading has {layout.Fields}."));
            if (++faults <= format.MaxFaults) return;
            throw new StepException(named.Count == 0 ? new($"Zeile {at} ist nicht lesbar.", $"Line {at} is not readable.") : named[0].Text) { Notes = [.. notes, .. named] };
        }

        void Name(LocalText text)
        {
            if (named.Count < Named) named.Add(new(format.MaxFaults == 0 ? "error" : "warning", text));
        }
    }

    private CsvColumn[] Columns(List<string> headers, CellType[] types, bool comma, char delimiter)
    {
        var columns = new List<CsvColumn>();
        var names = new HeadingNames();
        foreach (var column in format.Columns ?? [.. headers.Select(header => new FileColumn(header))])
        {
            var at = columns.Count < headers.Count && format.Columns is null ? columns.Count : headers.FindIndex(header => string.Equals(header, column.Header.Trim(), StringComparison.OrdinalIgnoreCase));
            if (at < 0)
                throw Wrong($"Die Spalte „{column.Header}“ fehlt; die Datei hat (Trennzeichen {delimiter}): {string.Join(", ", headers.Take(30))}.", $"The column “{column.Header}” is missing; the file has (delimiter {delimiter}): {string.Join(", ", headers.Take(30))}.");
            var title = format.Columns is null ? names.Next(column.Header) : column.Name ?? JobRules.ColumnName(column.Header);

            // A column whose numbers say it themselves needs no rule of the file.
            var own = format.DecimalChar is null && types[at].NeedsComma ? true : format.DecimalChar is null && types[at].NeedsPoint ? false : comma;
            var type = column.Type is { } said ? JobSql.TypeOf(said) : types[at].Narrowest(own);
            columns.Add(new(at, headers[at], new(new(title, type), own, column.Format, _zone)));
        }

        return [.. columns];
    }

    private async Task<(Encoding Encoding, char Delimiter, int HeaderRow)> SampleAsync(CancellationToken cancellationToken)
    {
        var bytes = new byte[Sample];
        await using (var start = new PieceStream(files, name)) bytes = bytes[..await start.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken)];
        if (bytes.Length == 0) throw Wrong("Die Datei ist nicht mehr da.", "The file is not there any more.");
        if (bytes is [(byte)'P', (byte)'K', 3, 4, ..] or [0xD0, 0xCF, 0x11, 0xE0, ..] or [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..])
            throw Wrong("Die Datei ist kein CSV, sondern eine Excel-, ZIP- oder Parquet-Datei; mit ihrer Endung (.xlsx, .parquet) hochladen oder type angeben.", "The file is no CSV but an Excel, ZIP or Parquet file; upload it with its ending (.xlsx, .parquet), or say type.");
        var encoding = format.Encoding is { } said ? Encodings(said)
            : bytes is [0xFF, 0xFE, ..] ? Encodings("utf-16")
            : bytes is [0xFE, 0xFF, ..] ? Encodings("utf-16BE")
            : Encodings("utf-8");
        // A character may be cut at the end; what is not readable is found out when all is read.
        var text = Encoding.GetEncoding(encoding.WebName, EncoderFallback.ReplacementFallback, DecoderFallback.ReplacementFallback).GetString(bytes).TrimStart('\uFEFF');
        var lines = text.Split('\n').Select(line => line.TrimEnd('\r')).ToArray();
        if (lines.Length > 1) lines = lines[..^1];
        lines = [.. lines.Take(50)];
        var delimiter = format.Delimiter?[0] ?? s_delimiters.MaxBy(one => lines.Where(line => line.Length > 0).GroupBy(line => Count(line, one)).Where(group => group.Key > 0).Select(group => group.Count() * Math.Min(group.Key, 3)).DefaultIfEmpty(0).Max());
        if (format.HeaderRow is { } row) return (encoding, delimiter, row);

        // The first line that has as many cells as most lines: what stands above is a title.
        var usual = lines.Where(line => line.Length > 0).GroupBy(line => Count(line, delimiter)).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).Select(group => group.Key).FirstOrDefault();
        var first = Array.FindIndex(lines, line => line.Length > 0 && Count(line, delimiter) == usual);
        return (encoding, delimiter, first < 0 ? 1 : first + 1);

        static int Count(string line, char delimiter)
        {
            var (count, quoted) = (0, false);
            foreach (var c in line)
            {
                if (c == '"') quoted = !quoted;
                else if (c == delimiter && !quoted) count++;
            }

            return count;
        }
    }

    private async Task<CsvDataReader> OpenAsync(Encoding encoding, char delimiter, int headerRow, Action<long>? read, CancellationToken cancellationToken)
    {
        var text = new StreamReader(new PieceStream(files, name, read), encoding, detectEncodingFromByteOrderMarks: true, 1 << 16);
        for (var i = 1; i < headerRow; i++)
        {
            if (await text.ReadLineAsync(cancellationToken) is null) throw Wrong($"Die Datei hat keine Zeile {headerRow}, in der die Überschriften stehen sollen.", $"The file has no line {headerRow}, in which the headings are to stand.");
        }

        return await CsvDataReader.CreateAsync(text, new CsvDataReaderOptions { Delimiter = delimiter, HasHeaders = true, Comment = NoComment, BufferSize = 1 << 16, MaxBufferSize = LongestCell, OwnsReader = true }, cancellationToken);
    }

    private string[] Missing() => format.MissingValues ?? [""];

    private static bool IsMissing(ReadOnlySpan<char> cell, string[] missing)
    {
        if (cell.IsEmpty) return true;
        foreach (var word in missing)
            if (cell.SequenceEqual(word)) return true;
        return false;
    }

    private static Encoding Encodings(string encoding)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        return Encoding.GetEncoding(encoding, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
    }

    private static string Word(FieldType type) => ContractCheck.Word(type);

    public static string Short(ReadOnlySpan<char> text) => text.Length <= 60 ? text.ToString() : string.Concat(text[..59], "…");

    private static StepException Wrong(string de, string en) => new(new(de, en));
}

/// <param name="Fields">Cells of a line.</param>
internal sealed record CsvLayout(Encoding Encoding, char Delimiter, int HeaderRow, int Fields, CsvColumn[] Columns, string[] Missing);

/// <param name="At">Its place in a line.</param>
internal sealed record CsvColumn(int At, string Heading, ColumnBuilder Builder);
