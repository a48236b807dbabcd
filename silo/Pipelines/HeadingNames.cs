using System.Globalization;

namespace DataHub.Pipelines;

/// <summary>Names that the columns of a file get from their headings.</summary>
internal sealed class HeadingNames
{
    private readonly HashSet<string> _taken = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The heading's name; where another column has it already, with the first number that makes it another.</summary>
    public string Next(string heading)
    {
        var name = JobRules.ColumnName(heading);
        var title = name;
        for (var n = 2; !_taken.Add(title); n++)
        {
            var suffix = "_" + n.ToString(CultureInfo.InvariantCulture);
            title = (name.Length + suffix.Length <= TableColumn.LongestName ? name : name[..^suffix.Length]) + suffix;
        }

        return title;
    }
}
