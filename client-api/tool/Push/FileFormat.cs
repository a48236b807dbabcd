namespace DataHub.Tool;

/// <summary>What a file holds.</summary>
internal enum FileFormat
{
    /// <summary>A JSON array; goes as a whole.</summary>
    Json = 0,

    /// <summary>A JSON object a line.</summary>
    NdJson = 1,

    /// <summary>CSV with a header.</summary>
    Csv = 2,

    /// <summary>MessagePack; goes as a whole.</summary>
    MessagePack = 3,
}

/// <summary>How formats are told apart and named.</summary>
internal static class FileFormats
{
    public static readonly string[] Names = ["auto", "json", "ndjson", "csv", "msgpack"];

    /// <param name="name">One of <see cref="Names"/>; auto: by the file's name, else by how it begins.</param>
    public static FileFormat Of(string name, string path)
    {
        switch (name)
        {
            case "json": return FileFormat.Json;
            case "ndjson": return FileFormat.NdJson;
            case "csv": return FileFormat.Csv;
            case "msgpack": return FileFormat.MessagePack;
        }

        switch (Path.GetExtension(path).ToUpperInvariant())
        {
            case ".NDJSON" or ".JSONL": return FileFormat.NdJson;
            case ".CSV" or ".TSV": return FileFormat.Csv;
            case ".MSGPACK" or ".MPK": return FileFormat.MessagePack;
            case ".JSON": return FileFormat.Json;
        }

        using var stream = File.OpenRead(path);
        int first;
        do first = stream.ReadByte();
        while (first is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);
        return first switch { '[' => FileFormat.Json, '{' => FileFormat.NdJson, >= 0x80 => FileFormat.MessagePack, _ => FileFormat.Csv };
    }

    public static string ContentType(this FileFormat format) => format switch
    {
        FileFormat.Json => "application/json",
        FileFormat.NdJson => "application/x-ndjson",
        FileFormat.Csv => "text/csv",
        _ => "application/vnd.msgpack",
    };
}
