using System.Text;
using System.Xml;

namespace DataHub.Pipelines;

/// <summary>Goes through the XML of a part, one node in memory: without document types and entities, not deep, with a bounded number of names and short texts.</summary>
internal sealed class XlsxXml : IDisposable
{
    private const int Deepest = 64;

    private readonly XlsxPart _part;
    private readonly XmlReader _reader;
    private readonly StringBuilder _text = new();
    private readonly char[] _buffer = new char[4_096];

    /// <param name="part">Is disposed of with it.</param>
    public XlsxXml(XlsxPart part)
    {
        _part = part;
        _reader = XmlReader.Create(part, new()
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
            CloseInput = true,
            NameTable = new BoundedNames(),
        });
    }

    /// <summary>Whether this is where an element begins.</summary>
    public bool IsStart => _reader.NodeType == XmlNodeType.Element;

    public bool IsEnd => _reader.NodeType == XmlNodeType.EndElement;

    /// <summary>An element that has nothing in it has no end.</summary>
    public bool IsEmpty => _reader.IsEmptyElement;

    /// <summary>Without its namespace: there are two, transitional and strict.</summary>
    public string Name => _reader.LocalName;

    public int Depth => _reader.Depth;

    public bool Read()
    {
        _part.Next();
        try
        {
            if (!_reader.Read()) return false;
        }
        catch (XmlException e)
        {
            throw XlsxPackage.Broken(Said(e), Said(e));
        }

        return _reader.Depth <= Deepest ? true : throw XlsxPackage.Broken("zu tief verschachtelt", "nested too deeply");
    }

    public string? Attribute(string name) => _reader.GetAttribute(name);

    /// <summary>An attribute of the relationships' namespace, whichever of the two it is.</summary>
    public string? Relationship()
    {
        for (var i = 0; i < _reader.AttributeCount; i++)
        {
            _reader.MoveToAttribute(i);
            var (name, value, isRelationship) = (_reader.LocalName, _reader.Value, _reader.NamespaceURI.EndsWith("/relationships", StringComparison.Ordinal));
            _reader.MoveToElement();
            if (isRelationship && name == "id") return value;
        }

        return null;
    }

    /// <summary>The text of the element that begins here; afterwards it is at its end.</summary>
    public string Text()
    {
        _text.Clear();
        if (IsEmpty) return "";
        var depth = Depth;
        while (Read() && !(IsEnd && Depth == depth))
        {
            if (_reader.NodeType is not (XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace)) continue;
            try
            {
                for (int count; (count = _reader.ReadValueChunk(_buffer, 0, _buffer.Length)) > 0;)
                {
                    _text.Append(_buffer, 0, count);
                    if (_text.Length > CsvFile.LongestCell) throw XlsxPackage.Broken($"ein Text ist länger als {CsvFile.LongestCell} Zeichen", $"a text is longer than {CsvFile.LongestCell} characters");
                }
            }
            catch (XmlException e)
            {
                throw XlsxPackage.Broken(Said(e), Said(e));
            }
        }

        return _text.ToString();
    }

    /// <summary>Passes over the element that begins here; afterwards it is at its end.</summary>
    public void Skip()
    {
        if (IsEmpty) return;
        var depth = Depth;
        while (Read() && !(IsEnd && Depth == depth))
        {
        }
    }

    /// <summary>Goes to the next element that begins within the one that began at a depth; false at the end of that.</summary>
    public bool Next(int depth)
    {
        while (Read())
        {
            if (IsStart) return true;
            if (IsEnd && Depth <= depth) return false;
        }

        return false;
    }

    public void Dispose() => _reader.Dispose();

    private static string Said(XmlException e) => $"XML {e.LineNumber}:{e.LinePosition}";

    /// <summary>Names are kept as long as a part is read: a part that makes up new ones all the time is refused.</summary>
    private sealed class BoundedNames : NameTable
    {
        private const int Most = 4_096;

        private int _names;

        public override string Add(char[] key, int start, int len)
        {
            if (Get(key, start, len) is null) Count();
            return base.Add(key, start, len);
        }

        public override string Add(string key)
        {
            if (Get(key) is null) Count();
            return base.Add(key);
        }

        private void Count()
        {
            if (++_names > Most) throw new XmlException("too many names");
        }
    }
}
