using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What uploads must be.</summary>
internal static class UploadRules
{
    /// <summary>Why an upload cannot begin, or null.</summary>
    /// <param name="most">Bytes.</param>
    public static LocalText? Fault(UploadSpec spec, long most)
    {
        if (spec.Name.Length is 0 or > UploadLimits.NameLength || spec.Name.AsSpan().ContainsAny('/', '\\', '\0') || spec.Name.Any(char.IsControl))
            return new($"name: Ein Dateiname hat 1 bis {UploadLimits.NameLength} Zeichen und keinen Ordner.", $"name: A file's name has 1 to {UploadLimits.NameLength} characters and no folder.");
        if (spec.Sha256 is not null and not { Length: 32 })
            return new("sha256: Erwartet werden 64 Hexadezimalziffern.", "sha256: 64 hexadecimal digits are expected.");
        if (spec.Length < 1) return new("length: Die Datei ist leer.", "length: The file is empty.");
        return spec.Length > most ? new($"length: Eine Datei hat höchstens {most} Byte (DataHub:Pipelines:MaxFileMiB).", $"length: A file has at most {most} bytes (DataHub:Pipelines:MaxFileMiB).") : null;
    }

    /// <summary>Why a piece cannot be appended, or null.</summary>
    public static (CatalogRefusal Refusal, LocalText Detail)? Fault(UploadedFile file, long offset, int bytes)
    {
        if (bytes is < 1 or > UploadLimits.PieceBytes) return (CatalogRefusal.Invalid, new($"Ein Stück hat 1 bis {UploadLimits.PieceBytes} Byte.", $"A piece has 1 to {UploadLimits.PieceBytes} bytes."));
        if (offset != file.Offset)
            return (CatalogRefusal.Conflict, new($"Gespeichert sind {file.Offset} Byte; dort geht es weiter, nicht bei {offset}.", $"{file.Offset} bytes are stored; it goes on there, not at {offset}."));
        return file.Offset + bytes > file.Spec.Length
            ? (CatalogRefusal.Invalid, new($"Angekündigt waren {file.Spec.Length} Byte; das Stück geht darüber hinaus.", $"{file.Spec.Length} bytes were announced; the piece goes beyond."))
            : null;
    }
}
