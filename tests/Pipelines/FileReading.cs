using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;

using Microsoft.Extensions.Options;

namespace DataHub.Pipelines;

/// <summary>Reads a file as a step does, and tells its table in words.</summary>
internal sealed class FileReading : IFileStore
{
    private readonly Dictionary<int, byte[]> _pieces = [];

    /// <summary>Bytes of the pieces into which an upload was cut.</summary>
    public int Piece { get; init; } = 1 << 20;

    public PipelineOptions Options { get; init; } = new();

    /// <summary>The format by which the next file would be read in the same way.</summary>
    public FileFormat? Found { get; private set; }

    /// <summary>Types of columns, rows with a bar between cells, and notes in German.</summary>
    public static Task<(string Columns, string[] Rows, string[] Notes)> ReadAsync(string title, byte[] content, FileFormat? format = null) => new FileReading().TellAsync(title, content, format);

    /// <summary>Why a file is refused, in German.</summary>
    public static async Task<string> RefusedAsync(string title, byte[] content, FileFormat? format = null, PipelineOptions? options = null) =>
        (await Assert.ThrowsAsync<StepException>(() => new FileReading { Options = options ?? new() }.TellAsync(title, content, format))).Reason.De;

    public async Task<(string Columns, string[] Rows, string[] Notes)> TellAsync(string title, byte[] content, FileFormat? format = null)
    {
        for (var i = 0; i * Piece < content.Length; i++) _pieces[i] = content.AsSpan(i * Piece, Math.Min(Piece, content.Length - (i * Piece))).ToArray();
        TableColumn[] columns = [];
        var (rows, read) = (new List<string>(), 0L);
        var report = await new FileTables(this, Microsoft.Extensions.Options.Options.Create(Options)).ReadAsync(
            "upload/1", title, format ?? new(), opened => columns = opened,
            block =>
            {
                for (var row = 0; row < block.Count; row++) rows.Add(string.Join('|', columns.Select((column, c) => Told(column, block.Columns[c], row))));
                return Task.CompletedTask;
            },
            at => read = at, default);
        Assert.Equal(content.Length, read);
        Found = report.Format;
        return (string.Join(' ', columns.Select(column => $"{column.Name}:{ContractCheck.Word(column.Type)}")), [.. rows], [.. report.Notes.Select(note => note.Text.De)]);
    }

    private static string Told(TableColumn type, Column column, int row) => column.IsNull(row) ? "" : type.Type switch
    {
        FieldType.String => column.Texts![row]!,
        FieldType.Number => column.Numbers![row].ToString("R", CultureInfo.InvariantCulture),
        FieldType.Boolean => column.Booleans![row] == 1 ? "true" : "false",
        FieldType.Date => DateOnly.FromDayNumber((int)column.Integers![row]).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        FieldType.Time => new TimeOnly(column.Integers![row]).ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        FieldType.DateTime => new DateTime(column.Integers![row], DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture),
        _ => column.Integers![row].ToString(CultureInfo.InvariantCulture),
    };

    Task<byte[]?> IFileStore.ReadAsync(string file, int number, CancellationToken cancellationToken) => Task.FromResult(_pieces.GetValueOrDefault(number));

    Task IFileStore.WriteAsync(string file, int number, ReadOnlyMemory<byte> piece, CancellationToken cancellationToken) => throw new NotSupportedException();

    Task<IReadOnlyList<string>> IFileStore.ListAsync(string prefix, string? after, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    Task IFileStore.DeleteAsync(string file, CancellationToken cancellationToken) => throw new NotSupportedException();
}
