using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>The tables between steps, in the file store: one piece a batch.</summary>
internal static class StepTables
{
    /// <summary>Name of the table that a step's last attempt made.</summary>
    public static string Name(string run, StepInfo step) => Name(run, step.Id, step.Attempts);

    public static string Name(string run, string step, int attempt) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"run/{run}/{step}/{attempt}");

    /// <summary>Everything of a run.</summary>
    public static string Prefix(string run) => $"run/{run}/";

    /// <summary>A batch as <see cref="TableCodec"/> wrote it, or null.</summary>
    public static async Task<byte[]?> ReadBytesAsync(IFileStore files, string name, int batch, CancellationToken cancellationToken)
    {
        return await files.ReadAsync(name, batch, cancellationToken) is { } packed ? PackedEnvelope.Open(TableCodec.Magic, TableCodec.Version, packed).ToArray() : null;
    }

    public static async Task<RowBlock> ReadAsync(IFileStore files, string name, int batch, CancellationToken cancellationToken) =>
        TableCodec.Read(await ReadBytesAsync(files, name, batch, cancellationToken) ?? throw new InvalidDataException($"batch {batch} of the table {name} is not there"));

    public static async IAsyncEnumerable<RowBlock> ReadAllAsync(IFileStore files, string name, int batches, Action<int>? read = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < batches; i++)
        {
            var rows = await ReadAsync(files, name, i, cancellationToken);
            read?.Invoke(rows.Count);
            yield return rows;
        }
    }
}

/// <summary>Writes a table batch by batch: every batch but the last has as many rows as <see cref="TableCodec.BatchRows"/> says, so equal rows are equal bytes.</summary>
internal sealed class TableWriter(IFileStore files, string name, TableColumn[] columns, long maxRows) : IDisposable
{
    private readonly IncrementalHash _hash = Begin(columns);
    private readonly List<RowBlock> _waiting = [];
    private int _waitingRows;

    public TableColumn[] Columns => columns;

    public long Rows { get; private set; }

    public int Batches { get; private set; }

    public void Dispose() => _hash.Dispose();

    /// <exception cref="StepException">The table has more rows than one may have.</exception>
    public async Task AppendAsync(RowBlock rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0) return;
        Rows += rows.Count;
        if (Rows > maxRows)
        {
            throw new StepException(new(
                $"Die Tabelle hat mehr als {maxRows} Zeilen (DataHub:Pipelines:MaxRows).", $"The table has more than {maxRows} rows (DataHub:Pipelines:MaxRows)."));
        }

        _waiting.Add(rows);
        _waitingRows += rows.Count;
        while (_waitingRows >= TableCodec.BatchRows) await WriteAsync(TableCodec.BatchRows, cancellationToken);
    }

    /// <summary>Writes what is left.</summary>
    /// <returns>The hash of the columns and all rows.</returns>
    public async Task<byte[]> CompleteAsync(CancellationToken cancellationToken)
    {
        if (_waitingRows > 0) await WriteAsync(_waitingRows, cancellationToken);
        return _hash.GetCurrentHash();
    }

    private async Task WriteAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = TableCodec.ToBytes(Next(count));
        _hash.AppendData(bytes);
        await files.WriteAsync(name, Batches, PackedEnvelope.SealBytes(TableCodec.Magic, TableCodec.Version, bytes), cancellationToken);
        Batches++;
    }

    /// <summary>The next rows in one block.</summary>
    private RowBlock Next(int count)
    {
        _waitingRows -= count;
        if (_waiting[0].Count == count) return Taken(0);

        var parts = new List<RowBlock>();
        for (var missing = count; missing > 0;)
        {
            var first = _waiting[0];
            if (first.Count <= missing)
            {
                parts.Add(Taken(0));
                missing -= first.Count;
                continue;
            }

            parts.Add(first.Take([.. Enumerable.Range(0, missing)]));
            _waiting[0] = first.Take([.. Enumerable.Range(missing, first.Count - missing)]);
            missing = 0;
        }

        return new() { Count = count, Columns = [.. Enumerable.Range(0, columns.Length).Select(c => Join(columns[c], parts, c, count))] };

        RowBlock Taken(int at)
        {
            var block = _waiting[at];
            _waiting.RemoveAt(at);
            // Numbers of rows in their source say nothing of the table.
            return new() { Count = block.Count, Columns = block.Columns };
        }
    }

    private static Column Join(TableColumn column, List<RowBlock> parts, int ordinal, int count)
    {
        return column.Kind switch
        {
            ColumnKind.Text => Column.OfTexts(All(part => part.Texts!)),
            ColumnKind.Number => Column.OfNumbers(All(part => part.Numbers!)),
            ColumnKind.Integer => Column.OfIntegers(All(part => part.Integers!)),
            _ => Column.OfBooleans(All(part => part.Booleans!)),
        };

        T[] All<T>(Func<Column, T[]> of)
        {
            var all = new T[count];
            var at = 0;
            foreach (var part in parts)
            {
                of(part.Columns[ordinal]).CopyTo(all, at);
                at += part.Count;
            }

            return all;
        }
    }

    private static IncrementalHash Begin(TableColumn[] columns)
    {
        var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var column in columns) hash.AppendData(Encoding.UTF8.GetBytes($"{column.Name}\0{column.Type}\0"));
        return hash;
    }
}
