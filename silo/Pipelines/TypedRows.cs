using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>The rows of a file that has types of its own, one after the other; one is in memory. It throws a <see cref="StepException"/> where the file is not what it should be.</summary>
internal abstract class TypedRows : IDisposable
{
    /// <summary>In their order.</summary>
    public abstract IReadOnlyList<string> Headings { get; }

    /// <summary>Whether all headings are known before the first row; else they are once all rows were read.</summary>
    public virtual bool HeadingsFirst => true;

    /// <summary>By the place of the heading, of the row that was read last; where it is shorter there is nothing.</summary>
    public abstract IReadOnlyList<TypedCell> Cells { get; }

    /// <summary>What was found out about the file, for people.</summary>
    public abstract LocalText Found { get; }

    /// <summary>A format with what was found out about the file, but for its columns.</summary>
    public virtual FileFormat Complete(FileFormat format) => format;

    /// <summary>What is wrong with the row itself; null: nothing.</summary>
    public virtual LocalText? Fault => null;

    /// <summary>What stands beside all columns, in the row that was read last; null: nothing.</summary>
    public virtual LocalText? Beside => null;

    /// <summary>Goes to the next row.</summary>
    public abstract bool Read();

    /// <summary>Where a cell of this row is, as the program shows it that made the file.</summary>
    public abstract LocalText Place(int column);

    /// <summary>Where a heading stands.</summary>
    public virtual string HeadingPlace(int column) => (column + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whether nobody misses the column who has not asked for it; known once all rows were read.</summary>
    /// <param name="any">There is something in it.</param>
    public virtual bool IsLeftOut(int column, bool any) => false;

    public abstract void Dispose();
}
