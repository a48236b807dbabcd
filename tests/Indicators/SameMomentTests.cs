using CsCheck;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Indicators;

/// <summary>When pages of several indicators are of one moment.</summary>
public sealed class SameMomentTests
{
    private static readonly Guid Log = Guid.NewGuid();

    [Fact]
    public void Pages_that_hold_at_a_common_watermark_are_given_out_with_the_earliest()
    {
        var same = SameMoment.Of([Page([3, 1], [5, 4]), Page([1, 2], [9, 2]), Page([4, 0], [4, 7])])!;
        Assert.All(same, page => Assert.Equal((Text([4, 2]), Text([4, 2])), (page.Watermark, page.Current)));
        var further = SameMoment.Of([Page([1], [5]), Page([2], [4])])!;
        Assert.All(further, page => Assert.Equal((Text([2]), Text([4])), (page.Watermark, page.Current)));
    }

    [Fact]
    public void Pages_without_one_are_not()
    {
        Assert.Null(SameMoment.Of([Page([3], [5]), Page([6], [6])]));
        Assert.Null(SameMoment.Of([Page([3, 0], [5, 0]), Page([4, 1], [4, 1])]));
        Assert.Null(SameMoment.Of([Page([3], [5]), Page([3], [5], Guid.NewGuid())]));
    }

    [Fact]
    public void The_order_of_the_pages_says_nothing() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4]).Array[1, 5].Sample(holds =>
        {
            var pages = holds.Select(hold => Page([hold.Item1], [hold.Item1 + hold.Item2])).ToArray();
            var common = Enumerable.Range(0, 9).Where(at => holds.All(hold => hold.Item1 <= at && at <= hold.Item1 + hold.Item2)).ToArray();
            var (one, other) = (SameMoment.Of(pages), SameMoment.Of([.. pages.Reverse()]));
            Assert.Equal(common.Length == 0, one is null);
            Assert.Equal(one?[0].Watermark, other?[0].Watermark);
            if (one is not null) Assert.Equal((Text([common[0]]), Text([common[^1]])), (one[0].Watermark, one[0].Current));
        });

    private static ValuesPage Page(long[] from, long[] to, Guid? log = null) => new(
        new("i", new("i", 1, new(new("I", null), "air", MeasureFunction.Count, null, "PT1H", "UTC", false, [], null, null, AccessClass.Open)), null, null, 0, null, "p"),
        1, Text(from, log), Text(to, log), default, [], null, false);

    private static string Text(long[] sequences, Guid? log = null) => new Watermark(log ?? Log, "air", sequences).ToString();
}
