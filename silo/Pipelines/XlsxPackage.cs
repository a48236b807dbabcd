using System.Buffers.Binary;
using System.IO.Compression;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// The ZIP file that an Excel file is, opened without trust: nothing it says of its own sizes is believed, and what it could
/// do besides holding a table (macros, links, embedded objects) is refused. Limits: <see cref="MostEntries"/>,
/// <see cref="LargestDirectory"/>, <see cref="MostRatio"/>, and so many inflated bytes as the hub allows.
/// </summary>
internal sealed class XlsxPackage : IDisposable
{
    public const int MostEntries = 5_000;

    /// <summary>Bytes of the list of entries.</summary>
    private const int LargestDirectory = 4 << 20;

    /// <summary>How many times as large a part may become, beyond so many bytes. Sheets of equal rows reach 100.</summary>
    private const int MostRatio = 150, RatioFrom = 16 << 20;

    /// <summary>From the end of a ZIP file: the record that ends it, with the longest comment.</summary>
    private const int EndRecord = 22, LongestEnd = EndRecord + ushort.MaxValue;

    private static readonly string[] s_foreign = ["xl/externallinks/", "xl/embeddings/", "xl/activex/", "xl/macrosheets/", "xl/dialogsheets/"];

    private readonly ZipArchive _zip;
    private readonly Dictionary<string, ZipArchiveEntry> _parts = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, long> _inflated = new(StringComparer.OrdinalIgnoreCase);
    private readonly long _mostInflated;
    private long _total;

    private XlsxPackage(ZipArchive zip, long mostInflated) => (_zip, _mostInflated) = (zip, mostInflated);

    /// <param name="file">Seekable; stays open.</param>
    /// <param name="mostInflated">Bytes of all parts together.</param>
    public static XlsxPackage Open(Stream file, long mostInflated)
    {
        CheckStart(file);
        CheckEnd(file);
        XlsxPackage? package = null;
        try
        {
            package = new(new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true), mostInflated);
            package.CheckParts();
            return package;
        }
        catch (Exception e)
        {
            package?.Dispose();
            if (IsBroken(e)) throw Broken();
            throw;
        }
    }

    public bool Has(string part) => _parts.ContainsKey(part);

    /// <summary>A part from its beginning.</summary>
    public XlsxPart Open(string part)
    {
        if (!_parts.TryGetValue(part, out var entry)) throw Broken($"„{part}“ fehlt", $"“{part}” is missing");
        try
        {
            return new XlsxPart(entry.Open(), at => Count(part, entry.CompressedLength, at));
        }
        catch (Exception e) when (IsBroken(e))
        {
            throw Broken();
        }
    }

    /// <summary>Whether an exception says that the ZIP is not what it should be.</summary>
    public static bool IsBroken(Exception e) => e is InvalidDataException or EndOfStreamException or ArgumentException or NotSupportedException or OverflowException;

    public void Dispose() => _zip.Dispose();

    public static StepException Broken(string? de = null, string? en = null) => new(new(
        $"Die Datei ist kein lesbares XLSX{(de is null ? "" : $" ({de})")}. In Excel oder LibreOffice öffnen und neu als .xlsx speichern.",
        $"The file is not readable as XLSX{(en is null ? "" : $" ({en})")}. Open it in Excel or LibreOffice and save it as .xlsx again."));

    private void Count(string part, long compressed, long at)
    {
        var before = _inflated.GetValueOrDefault(part);
        // Who reads it once more learns nothing new.
        if (at <= before) return;
        _inflated[part] = at;
        _total += at - before;
        if (_total > _mostInflated)
        {
            throw new StepException(new(
                $"Entpackt wäre die Datei größer als {_mostInflated >> 20} MiB (DataHub:Pipelines:MaxInflatedMiB). Als CSV hochladen oder aufteilen.",
                $"Unpacked the file would be larger than {_mostInflated >> 20} MiB (DataHub:Pipelines:MaxInflatedMiB). Upload it as CSV, or in parts."));
        }

        if (at > RatioFrom && at / MostRatio > compressed)
            throw new StepException(new($"„{part}“ wird beim Entpacken mehr als {MostRatio}-mal so groß; das ist keine gewöhnliche Tabelle.", $"“{part}” becomes more than {MostRatio} times as large when it is unpacked; this is no ordinary table."));
    }

    private void CheckParts()
    {
        foreach (var entry in _zip.Entries)
        {
            if (_parts.Count == MostEntries) throw Broken($"mehr als {MostEntries} Teile", $"more than {MostEntries} parts");
            var name = entry.FullName.Replace('\\', '/');
            if (entry.IsEncrypted) throw Encrypted();
            if (!_parts.TryAdd(name, entry)) throw Broken($"„{name}“ gibt es zweimal", $"“{name}” is there twice");
            var lower = name.ToLowerInvariant();
            if (lower.EndsWith("vbaproject.bin", StringComparison.Ordinal) || lower.EndsWith("vbaprojectsignature.bin", StringComparison.Ordinal)) throw Macros();
            if (Array.Exists(s_foreign, folder => lower.StartsWith(folder, StringComparison.Ordinal))) throw Foreign(name);
        }

        if (Has("mimetype") && !Has("[Content_Types].xml"))
            throw new StepException(new("Das ist ein OpenDocument (.ods). Als .xlsx oder CSV speichern.", "This is an OpenDocument (.ods). Save it as .xlsx or CSV."));
        if (!Has("[Content_Types].xml")) throw Broken("keine Excel-Datei", "not an Excel file");
        using var types = new XlsxXml(Open("[Content_Types].xml"));
        while (types.Read())
        {
            if (!types.IsStart || types.Attribute("ContentType") is not { } type) continue;
            if (type.Contains("macroEnabled", StringComparison.OrdinalIgnoreCase) || type.Contains("vbaProject", StringComparison.OrdinalIgnoreCase) || type.Contains("macrosheet", StringComparison.OrdinalIgnoreCase)) throw Macros();
            if (type.Contains("externalLink", StringComparison.OrdinalIgnoreCase) || type.Contains("oleObject", StringComparison.OrdinalIgnoreCase) || type.Contains("activeX", StringComparison.OrdinalIgnoreCase)) throw Foreign(type);
            if (type.Contains("ms-excel.sheet.binary", StringComparison.OrdinalIgnoreCase)) throw new StepException(new("Das ist eine binäre Excel-Datei (.xlsb). Als .xlsx speichern.", "This is a binary Excel file (.xlsb). Save it as .xlsx."));
        }
    }

    /// <summary>What Excel wrote before 2007, and what it writes with a password, begins as an OLE file.</summary>
    private static void CheckStart(Stream file)
    {
        Span<byte> start = stackalloc byte[512];
        file.Position = 0;
        var length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (start[..length].StartsWith("PK\u0003\u0004"u8)) return;
        if (length < start.Length || !start.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])) throw Broken("kein ZIP", "no ZIP");
        // Its folder names what is in it.
        var sector = BinaryPrimitives.ReadUInt16LittleEndian(start[30..]) == 12 ? 4096 : 512;
        var folder = (BinaryPrimitives.ReadUInt32LittleEndian(start[48..]) + 1L) * sector;
        var names = new byte[4096];
        if (folder < file.Length)
        {
            file.Position = folder;
            names = names[..file.ReadAtLeast(names, names.Length, throwOnEndOfStream: false)];
            if (names.AsSpan().IndexOf(System.Text.Encoding.Unicode.GetBytes("EncryptedPackage")) >= 0) throw Encrypted();
        }

        throw new StepException(new("Das ist eine alte Excel-Datei (.xls). In Excel oder LibreOffice als .xlsx speichern.", "This is an old Excel file (.xls). Save it as .xlsx in Excel or LibreOffice."));
    }

    /// <summary>The list of entries is read whole, so it is looked at first how large it is.</summary>
    private static void CheckEnd(Stream file)
    {
        var tail = new byte[Math.Min(file.Length, LongestEnd)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || tail.Length - at < EndRecord) throw Broken("das Ende fehlt", "its end is missing");
        var end = tail.AsSpan(at);
        // With other numbers of disks the counts below would not be the ones that hold.
        if (BinaryPrimitives.ReadUInt32LittleEndian(end[4..]) != 0) throw Broken("ein mehrteiliges ZIP oder ZIP64", "a ZIP in several parts, or ZIP64");
        var (entries, size, offset) = (BinaryPrimitives.ReadUInt16LittleEndian(end[10..]), BinaryPrimitives.ReadUInt32LittleEndian(end[12..]), BinaryPrimitives.ReadUInt32LittleEndian(end[16..]));
        if (entries > MostEntries || size > LargestDirectory) throw Broken($"mehr als {MostEntries} Teile", $"more than {MostEntries} parts");
        if ((long)offset + size != file.Length - tail.Length + at) throw Broken("sein Verzeichnis steht nicht da, wo es stehen soll", "its directory is not where it should be");
        file.Position = 0;
    }

    private static StepException Macros() => new(new(
        "Die Datei hat Makros; solche nimmt der Hub nicht. Ohne Makros als .xlsx speichern.", "The file has macros; the hub takes none. Save it as .xlsx without macros."));

    private static StepException Encrypted() => new(new(
        "Die Datei ist mit einem Kennwort verschlüsselt. Ohne Kennwort speichern.", "The file is encrypted with a password. Save it without one."));

    private static StepException Foreign(string what) => new(new(
        $"Die Datei bettet Fremdes ein oder verweist auf andere Dateien ({what}); solche nimmt der Hub nicht. Nur die Werte in eine neue .xlsx kopieren.",
        $"The file embeds something foreign or links to other files ({what}); the hub takes none of these. Copy the values alone into a new .xlsx."));
}

/// <summary>A part while it is inflated: its bytes are counted, and no node of the XML in it is so long that it would fill the memory.</summary>
/// <param name="read">Told how many bytes came so far.</param>
internal sealed class XlsxPart(Stream inner, Action<long> read) : Stream
{
    /// <summary>Bytes of a node, whatever they are, with what is passed over before it: a cell's text has 32,767 characters.</summary>
    private const int LongestNode = 4 << 20;

    private long _at, _node;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _at;
        set => throw new NotSupportedException();
    }

    /// <summary>What is read from here on belongs to another node.</summary>
    public void Next() => _node = 0;

    public override int Read(Span<byte> buffer)
    {
        int count;
        try
        {
            count = inner.Read(buffer);
        }
        catch (Exception e) when (XlsxPackage.IsBroken(e))
        {
            throw XlsxPackage.Broken();
        }

        _at += count;
        read(_at);
        _node += count;
        if (_node > LongestNode) throw XlsxPackage.Broken("eine Stelle ist zu lang", "one place is too long");
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
